"""The labels table: what each attribute says about each sample.

Attribute files are read by `attribute_file`; `zero_shot`, `measured` and `given` make labels from
prompts, numbers and columns; `truth` reads true values and `quality` compares labels with them.
"""
