"""Turning an encoder towards what its labels get wrong, without forgetting the rest."""
