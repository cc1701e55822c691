"""`weakspot run` and the stages alone: what an audit.toml asks for."""
