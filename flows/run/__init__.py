"""A run: the order of its stages, Prefect around them, locks, logs and its record.

Whatever imports a flow comes through here first, so that Prefect starts without telemetry.
"""

from flows.run.privacy import keep_private

keep_private()
