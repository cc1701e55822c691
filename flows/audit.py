"""The flow to deploy and schedule: `flows.audit.run_audit`."""

from flows.run.flow import run_audit

__all__ = ["run_audit"]
