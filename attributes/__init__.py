"""Attribute files, one a dimension: data without code; README.md tells how to write one."""
