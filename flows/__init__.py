"""Flows: the only place that knows order, files, retries and schedules."""
