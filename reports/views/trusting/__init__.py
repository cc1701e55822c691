"""Views of the section on the encoder."""
