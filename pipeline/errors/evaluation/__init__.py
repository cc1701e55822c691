"""A detector as a whole: average precision, kinds of errors, confusions, what to annotate again."""
