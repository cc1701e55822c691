"""What is made of the embedding space when asked for: clusters, the map, weak regions."""
