"""The workspace: what an audit keeps between stages and runs, on disk. Only flows import it."""
