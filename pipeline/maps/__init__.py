"""Maps: the embedding space in two dimensions, with errors, findings and regions."""
