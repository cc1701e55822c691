"""Ordered attributes: runs of adjacent values, counted from the counts of their values."""
