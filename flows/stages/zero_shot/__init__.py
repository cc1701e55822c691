"""Classes from words alone, on the images of a folder or of an audit."""
