"""The tables of weakspot and the pure functions that fill them."""
