"""Images -> pixels and raw measures: decode once, crop, measure, one pass over many."""
