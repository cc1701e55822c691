"""A workspace opened to search it by words and pictures."""
