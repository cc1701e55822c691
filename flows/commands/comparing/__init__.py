"""`weakspot compare`: two runs of audits side by side."""
