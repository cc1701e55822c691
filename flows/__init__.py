"""Prefect flows: the only place that knows order, I/O, retries and schedules."""
