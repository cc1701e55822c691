"""Regions of the embedding space in which a system fails more, beside what attributes explain."""
