"""Groups of samples that lie close together, and how well they agree with known values."""
