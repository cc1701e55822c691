"""What stages and commands read of a workspace: its audit, its points, what is known of labels."""
