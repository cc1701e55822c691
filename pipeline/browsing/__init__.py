"""Samples as a person browses them: conditions in words, orders, pages, and their evidence."""
