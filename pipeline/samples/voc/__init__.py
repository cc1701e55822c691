"""Datasets of Pascal VOC's format: one XML file an image, and image sets."""
