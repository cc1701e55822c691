"""From findings to what mends them: samples to label next, and weights for training again."""
