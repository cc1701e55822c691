"""Audits on a schedule: what starts them, what overlaps, what was missed, and who hears of it."""
