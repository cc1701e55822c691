"""Counting: rows as cells, and how often each conjunction of values occurs with which errors."""
