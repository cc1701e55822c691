"""The report for programs: findings.json and its JSON Schema, verdicts of gates as JUnit XML."""
