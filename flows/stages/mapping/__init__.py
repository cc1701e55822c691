"""Parts of the stage that maps: rows of samples, and the points of the page."""
