"""A run: the order of its stages, Prefect around them, locks, logs and its record."""
