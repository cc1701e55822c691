"""The commands that judge the encoder of an audit."""
