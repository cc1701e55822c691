"""`weakspot classify`: classes from words alone."""
