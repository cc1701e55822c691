"""`weakspot export`: the tables of a workspace, as they are kept or put together, as files."""
