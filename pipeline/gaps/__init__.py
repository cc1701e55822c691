"""Errors of groups of people and things -> how far each is from the others, and how sure that is.

`pipeline.fairness.measure` is the way in.
"""
