"""Attribute files, one a dimension: data without code; README.md says how to write one."""
