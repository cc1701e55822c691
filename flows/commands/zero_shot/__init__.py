"""Commands of zero-shot classification: classify, attributes compare, captions."""
