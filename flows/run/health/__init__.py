"""Runs that meet damage or a failing machine: what is dropped, and how it is said."""
