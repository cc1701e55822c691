"""Snapshots of a workspace: made, kept, and made again when a stage has ended."""
