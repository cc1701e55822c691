"""Search by words and pictures in the vectors of an encoder: exact, with where the hits end."""
