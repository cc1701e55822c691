"""Checks of labels by people: which to ask for, answers as files."""
