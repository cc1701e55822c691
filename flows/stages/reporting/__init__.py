"""Parts of the report that are gathered from the workspace: detectors, galleries, groups."""
