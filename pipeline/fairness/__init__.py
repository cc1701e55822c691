"""Errors of groups of people and things -> how far each is from the others, with evidence."""
