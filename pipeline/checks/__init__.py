"""Labels that a person checks: what to check, answers made elsewhere, how checkers agree."""
