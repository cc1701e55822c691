"""The pictures of a report: which samples are shown, what is drawn on them."""
