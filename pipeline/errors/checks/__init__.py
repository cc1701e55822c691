"""Signs that a system's outputs mean something else than they are taken for."""
