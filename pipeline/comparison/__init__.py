"""Two audits side by side: what changed in each slice, and whether the change holds up."""
