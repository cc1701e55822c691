"""Commands that search a workspace."""
