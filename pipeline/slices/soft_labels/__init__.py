"""Slices by the probabilities of values, where labels alone hide them."""
