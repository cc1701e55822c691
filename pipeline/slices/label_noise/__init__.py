"""Slices as labelled, corrected for wrong labels with the help of checked rows."""
