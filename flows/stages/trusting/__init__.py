"""Whether the encoder of an audit can be trusted: bias, text in pictures, the verdict."""
