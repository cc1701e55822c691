"""Words written into pictures: which labels they flip, and what helps against it."""
