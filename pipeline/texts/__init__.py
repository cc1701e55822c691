"""Images -> texts: what can be read in them, for attributes and for searching."""
