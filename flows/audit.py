"""The flow to deploy and schedule: `flows.audit.run_audit`."""

from flows.run.audit import run_audit

__all__ = ["run_audit"]
