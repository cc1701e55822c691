"""Errors of groups of people -> how far each is from its complement, with evidence."""
