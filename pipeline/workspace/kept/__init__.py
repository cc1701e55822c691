"""What a workspace keeps beside its database, one module a kind."""
