"""The names of the stages of an audit, in order; samples are read before any of them."""

STAGES = ("embed", "label", "score", "find", "fairness", "report")
