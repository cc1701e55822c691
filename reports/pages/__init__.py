"""Pages: views put into templates."""
