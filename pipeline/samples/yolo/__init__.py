"""Datasets of Ultralytics' YOLO format: data.yaml and one label file an image."""
