"""A workspace opened to tune its encoder on what is known to be true of its samples."""
