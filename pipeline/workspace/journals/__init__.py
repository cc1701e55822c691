"""Files that only grow: what people said, one line each."""
