"""What the commands on the embedding space as a benchmark read from a workspace and make."""
