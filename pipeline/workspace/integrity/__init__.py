"""Damage in a workspace: checksums of shards, what is found broken, how it is repaired."""
