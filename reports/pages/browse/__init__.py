"""The pages of `weakspot serve`: answers of its API as HTML."""
