"""The embedding space as a benchmark: retrieval, near duplicates, similarity of classes."""
