"""A dataset of any format as the `samples` table: `read_samples` and what it returns."""
