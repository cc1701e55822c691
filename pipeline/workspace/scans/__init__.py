"""The vectors of an encoder as one array on disk, for whatever reads all of them at once."""
