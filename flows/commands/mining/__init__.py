"""`weakspot mine`: samples of a pool to label first, for what an audit found."""
