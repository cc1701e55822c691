"""The local page: a server on this machine, for the person at it alone."""
