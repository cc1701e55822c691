"""Commands that judge the embedding space: ranking, near duplicates, similarity of classes."""
