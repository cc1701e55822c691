"""Classes from words alone: prompts of classes, their vectors, ranks of the true class."""
