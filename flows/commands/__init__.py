"""What a person types: one module a command or a family of commands."""
