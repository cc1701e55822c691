"""Whether the labels of each attribute can be trusted: one verdict of all that was measured."""
