"""A workspace and a pool of images, opened to mine what its findings need."""
