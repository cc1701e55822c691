"""Linear probes: labels from vectors and a few samples whose true value is known."""
