"""What the site shows beyond the one page, worded and drawn for its templates."""
