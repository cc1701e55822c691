"""Commands about the embedding space: clusters, the map, weak regions."""
