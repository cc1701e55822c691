"""The stages of an audit, one file each: plain functions from a workspace to a workspace."""
