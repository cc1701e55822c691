"""What keeps a workspace in order."""
