"""Datasets of COCO's format: one annotation file in JSON."""
