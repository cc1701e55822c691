"""Statistics that several tables share: intervals and p-values."""
