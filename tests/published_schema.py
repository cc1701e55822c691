"""The JSON Schema of findings.json in docs/; `python -m tests.published_schema` writes it."""

import json
from pathlib import Path

from reports.machine.findings_json import describe_findings

FILE = Path(__file__).parents[1] / "docs" / "findings.schema.json"


def write_schema() -> str:
    """Return the text of the file as it should be."""
    return json.dumps(describe_findings(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(write_schema(), encoding="utf-8")
