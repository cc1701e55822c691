"""Images -> detections: a detector run as a stage, for datasets without true boxes."""
