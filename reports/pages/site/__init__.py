"""The report as a folder: an index, a page for each finding and attribute, and the sections."""
