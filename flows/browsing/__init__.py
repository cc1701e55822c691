"""A workspace as it is browsed: snapshots of it, and what is read from them."""
