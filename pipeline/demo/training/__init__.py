"""Training of the demo's image-text model: captions, pictures, and how right its labels are."""
