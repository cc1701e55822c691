"""A system's outputs as the `errors` table: `score_system` and what it returns."""
