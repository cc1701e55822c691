"""Samples -> embeddings and measurements: one vector and the raw measures of each content key."""
