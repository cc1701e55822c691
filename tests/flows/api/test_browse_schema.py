"""The API as it is published: the schema is frozen, answers are of it, and nothing is a 500."""

import atexit
import functools
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.browsing.snapshots.snapshot_source import SnapshotSource
from pipeline.workspace.store import find_store
from tests.flows.api.browse_examples import OWN, add_map, copy_workspace, serve_source
from tests.flows.small_audit import SmallAudit
from tests.published_api import FILE, write_schema

SCHEMA: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
METHODS = ("get", "post", "delete")
OPERATIONS = [
    (method, path, operation)
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
]
TEXTS = st.one_of(
    st.sampled_from(
        ["", "s001", "time = night", "error > 0", "-error", "similarity", "finder", "time", "a hat",
         "upload-x", "right", "slice", "attribute", "mine", "../../etc/passwd", "' OR 1=1 --",
         "<script>", "\0", "0" * 3000, "a" * 300, "(" * 50, "null", "-1", "1e400", "NaN"]
    ),
    st.text(max_size=30),
)  # fmt: skip


@functools.cache
def client() -> TestClient:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = copy_workspace(folder)
    add_map(store)
    return serve_source(SnapshotSource(store))


def test_the_schema_is_the_published_one() -> None:
    """Where a change is meant, `python -m tests.published_api` writes docs/openapi.json anew."""
    assert json.loads(write_schema()) == SCHEMA


def test_operations_are_named_by_their_functions_and_explained() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names) >= 15
    for method, path, operation in OPERATIONS:
        assert method in METHODS
        assert path.startswith("/api/v1/")
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
        assert operation["description"].endswith(".")
        assert "400" in operation["responses"]


def check_answer(operation: Mapping[str, Any], answer: Any) -> None:
    """Raise where a successful answer is not of its schema."""
    content = operation["responses"].get(str(answer.status_code), {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema:
        jsonschema.validate(answer.json(), {**schema, "components": SCHEMA["components"]})


SEARCHED = ("/api/v1/findings/{rank}", "/api/v1/comparison")  # nothing was searched as planted
READS = [(path, operation) for method, path, operation in OPERATIONS if method == "get"]


@pytest.mark.parametrize(("path", "operation"), READS, ids=lambda one: str(one)[:40])
def test_answers_are_of_their_schema(path: str, operation: Mapping[str, Any]) -> None:
    filled = path.format(sample_id="s003", name="time", rank="1")
    answer = client().get(filled, params={"x": 0.5, "y": 0.5} if path == "/api/v1/map" else {})
    if path in SEARCHED:
        assert answer.status_code == 404
        problem = {"$ref": "#/components/schemas/Problem", "components": SCHEMA["components"]}
        jsonschema.validate(answer.json(), problem)
        return
    assert answer.status_code == 200, answer.text
    check_answer(operation, answer)


@pytest.mark.slow
def test_answers_about_a_search_are_of_their_schema(finished_audit: SmallAudit) -> None:
    store = find_store(finished_audit.folder / "workspace")
    searched = serve_source(SnapshotSource(store, keep=False), read_only=True)
    for path, operation in READS:
        if path in {*SEARCHED, "/api/v1/findings", "/api/v1/runs"}:
            answer = searched.get(path.format(rank="1"))
            assert answer.status_code == 200, answer.text
            check_answer(operation, answer)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, dict[str, str], Any]:
    """Draw a request of the schema: right types and wrong ones."""
    method, path, operation = draw(st.sampled_from(OPERATIONS))
    query = {}
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(draw(TEXTS), safe="") or "x")
        elif one["required"] or draw(st.booleans()):
            numbers = st.integers(-3, 700).map(str)
            query[one["name"]] = draw(st.one_of(TEXTS, numbers))
    body: Any = None
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        if "application/json" in content:
            name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
            properties = SCHEMA["components"]["schemas"][name]["properties"]
            values = st.one_of(TEXTS, st.none(), st.integers(), st.lists(TEXTS, max_size=3))
            names = draw(st.lists(st.sampled_from(sorted(properties)), unique=True))
            body = {one: draw(values) for one in names}
        else:
            body = draw(st.binary(max_size=40))
    return method, path, query, body


@settings(max_examples=70)
@given(request=requests())
def test_no_request_of_the_schema_is_a_500(request: tuple[str, str, dict[str, str], Any]) -> None:
    method, path, query, body = request
    kind = {"Content-Type": "image/png"} if isinstance(body, bytes) else {}
    sent = {"content": body} if isinstance(body, bytes) else {"json": body}
    answer = client().request(
        method, path, params=query, headers={"Origin": OWN, **kind}, **(sent if body else {})
    )
    assert answer.status_code != 500
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["detail"]
