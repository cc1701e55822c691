"""The page that browses a workspace, and the same as JSON."""
