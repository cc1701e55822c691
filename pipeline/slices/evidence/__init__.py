"""Evidence: which counted slices hold up against chance and against each other."""
