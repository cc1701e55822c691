"""The rules of the source tree, read from the sources: who may import whom, sizes, names, words."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = ("attributes", "pipeline", "reports", "flows")  # each may import those before it
SHARED = (
    "tables",
    "predicates",
    "arrays",
    "exceptions",
    "vocabulary",
    "config",
    "files",
    "images",
    "statistics",
)
TABLE_FOLDERS = (
    "samples",
    "detectors",
    "texts",
    "embeddings",
    "labels",
    "errors",
    "slices",
    "fairness",
    "coverage",
    "regions",
    "checks",
    "comparison",
    "retrieval",
    "ranking",
    "clusters",
    "maps",
    "mining",
    "tuning",
    "zero_shot",
    "probes",
    "attacks",
    "trust",
    "browsing",
    "demo",
)
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager", "managers"}

# Where a heavy library may be imported, as paths that begin so.
HOMES = {
    "torch": (
        "pipeline/embeddings/device.py",
        "pipeline/embeddings/encoder.py",
        "pipeline/embeddings/feature_maps.py",
        "pipeline/embeddings/folding.py",
        "pipeline/embeddings/openvino_tower.py",
        "pipeline/embeddings/preprocessing.py",
        "pipeline/detectors/",
        "pipeline/demo/",
        "flows/commands/doctor.py",
    ),
    "torchvision": (
        "pipeline/embeddings/encoder.py",
        "pipeline/embeddings/preprocessing.py",
        "pipeline/detectors/",
        "pipeline/demo/",
    ),
    "cv2": ("pipeline/detectors/", "pipeline/texts/"),
    "open_clip": (
        "pipeline/embeddings/encoder.py",
        "pipeline/embeddings/feature_maps.py",
        "pipeline/embeddings/preprocessing.py",
        "pipeline/demo/",
    ),
    "duckdb": ("pipeline/workspace/database.py", "pipeline/workspace/search_table.py"),
    "numba": ("pipeline/slices/counting/kernels_numba.py", "pipeline/retrieval/scan_numba.py"),
    "sliceline": ("pipeline/slices/counting/sliceline_engine.py",),
    "openTSNE": ("pipeline/maps/spread.py",),
    "umap": ("pipeline/maps/spread.py",),
    "hotcoco": ("pipeline/errors/",),
    "prefect": ("flows/run/",),
    "prefect_ray": ("flows/run/cluster/ray_runner.py",),
    "ray": ("flows/run/cluster/ray_runner.py",),
    "openvino": ("pipeline/embeddings/openvino_tower.py",),
    "fsspec": ("pipeline/files/remote_path.py",),
    "fastapi": ("flows/api/",),
    "starlette": ("flows/api/",),
    "uvicorn": ("flows/api/", "flows/run/"),
    "jinja2": ("reports/parts/",),
}
SOURCES = sorted(path for room in ORDER for path in (ROOT / room).rglob("*.py"))
OWN = [path.relative_to(ROOT).as_posix() for path in SOURCES]
EVERY = OWN + sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("*.py"))


@cache
def parse(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=path)


def is_module(name: str) -> bool:
    place = ROOT / name.replace(".", "/")
    return place.with_suffix(".py").exists() or place.is_dir()


@cache
def imports(path: str) -> frozenset[str]:
    """Return the full names of the modules that a file imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write the import from the top"
            module = node.module or ""
            names = {f"{module}.{alias.name}" for alias in node.names}
            found |= {name if is_module(name) else module for name in names}
    return frozenset(found)


def own_imports(path: str) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] in ORDER}


def test_there_is_something_to_look_at() -> None:
    assert len(OWN) > 80
    assert imports("flows/run/start.py") >= {"flows.run.prefect_server", "pipeline.exceptions"}
    assert "pipeline.slices" in imports("flows/stages/search.py")


def test_rooms_import_one_way() -> None:
    wrong = []
    for path in OWN:
        allowed = ORDER[: ORDER.index(path.split("/")[0]) + 1]
        wrong += [
            f"{path}: {name}" for name in own_imports(path) if name.split(".")[0] not in allowed
        ]
    assert wrong == []


def test_the_sources_import_no_tests() -> None:
    assert [path for path in OWN if any(n.split(".")[0] == "tests" for n in imports(path))] == []


def list_foreign(path: str, allowed: set[str]) -> list[str]:
    """Return what a file of `pipeline` imports from rooms of `pipeline` that are not allowed."""
    return [
        f"{path}: {name}"
        for name in sorted(own_imports(path))
        if name.startswith("pipeline.") and name.split(".")[1] not in allowed
    ]


def list_room(*rooms: str) -> list[str]:
    return [path for path in OWN if path.startswith(tuple(f"pipeline/{room}" for room in rooms))]


def test_every_folder_of_pipeline_is_shared_the_workspace_or_a_table() -> None:
    rooms = {path.split("/")[1].removesuffix(".py") for path in list_room("")}
    assert rooms == {"__init__", *SHARED, *TABLE_FOLDERS, "workspace"}


@pytest.mark.parametrize("room", TABLE_FOLDERS)
def test_a_table_folder_imports_shared_rooms_and_itself_alone(room: str) -> None:
    """The demo too: beside the shared rooms it needs torch and open_clip alone, to train."""
    files = list_room(f"{room}/")
    assert files
    assert [wrong for path in files for wrong in list_foreign(path, {*SHARED, room})] == []


def test_shared_rooms_and_the_workspace_import_no_table_folder() -> None:
    files = list_room(*SHARED)
    assert [wrong for path in files for wrong in list_foreign(path, set(SHARED))] == []
    files = list_room("workspace/")
    wrong = [wrong for path in files for wrong in list_foreign(path, {*SHARED, "workspace"})]
    # The sample set is kept whole: its type is the one that the workspace shares with its reader.
    kept = "pipeline/workspace/kept/kept_samples.py: pipeline.samples.sample_set"
    assert [name for name in wrong if name != kept] == []


def test_only_flows_import_the_workspace() -> None:
    users = [p for p in OWN if any(n.startswith("pipeline.workspace") for n in own_imports(p))]
    assert [p for p in users if not p.startswith(("flows/", "pipeline/workspace/"))] == []


def test_no_stage_imports_a_stage() -> None:
    """Stages are what a run calls; modules beside them serve one stage each, as labellers does."""
    callers = ("flows/run/audit.py", "flows/run/unchanged/conclusions.py")
    called = {name_file(name) for caller in callers for name in imports(caller)}
    own = {path for path in called if path and path.startswith("flows/stages/")}
    stages = {path for path in own if not path.startswith("flows/stages/reporting/")}
    assert len(stages) >= 10
    users = [
        f"{path}: {name}"
        for path in OWN
        if path.startswith("flows/stages/")
        for name in own_imports(path)
        if name_file(name) in stages
    ]
    assert users == []


def test_nobody_imports_commands() -> None:
    users = [p for p in OWN if any(n.startswith("flows.commands") for n in own_imports(p))]
    assert [p for p in users if not p.startswith("flows/commands/")] == []


def test_no_imports_run_in_a_circle() -> None:
    """Also not through imports inside functions, which only hide one."""
    graph = {path: [p for n in own_imports(path) for p in [name_file(n)] if p] for path in OWN}
    done: set[str] = set()

    def walk(path: str, above: tuple[str, ...]) -> None:
        assert path not in above, " -> ".join([*above[above.index(path) :], path])
        if path not in done:
            for other in graph[path]:
                walk(other, (*above, path))
            done.add(path)

    for path in OWN:
        walk(path, ())


def name_file(module: str) -> str | None:
    """Return the file of a module; None for a package without code of its own."""
    place = module.replace(".", "/")
    return next((p for p in (f"{place}.py", f"{place}/__init__.py") if p in OWN), None)


def test_no_two_table_folders_have_modules_of_one_name() -> None:
    """Folders of formats may: each of coco, yolo and voc has its reader."""
    homes: dict[str, set[str]] = {}
    for path in list_room(*(f"{room}/" for room in TABLE_FOLDERS)):
        _, room, *between, name = path.split("/")
        is_format = room == "samples" and between
        if name != "__init__.py" and not is_format:
            homes.setdefault(name, set()).add(room)
    assert {name: rooms for name, rooms in homes.items() if len(rooms) > 1} == {}


def test_tests_mirror_the_tree() -> None:
    """Every room has tests of its own, and every folder of tests is a room."""
    files = {p.relative_to(ROOT / "tests").parent for p in (ROOT / "tests").rglob("test_*.py")}
    tested = {folder.as_posix() for folder in files if folder.name}
    homes = {path.rpartition("/")[0] for path in OWN}
    rooms = {folder.removeprefix("pipeline/") for folder in homes}
    assert tested - rooms == set()
    assert {room.split("/")[1] for room in homes if room.startswith("pipeline/")} - tested == set()
    assert {"attributes", "reports", "flows/commands", "flows/run", "flows/stages"} <= tested


def test_a_folder_holds_at_most_sixteen_modules_and_the_root_of_pipeline_five() -> None:
    counts: dict[str, int] = {}
    for path in OWN:
        folder, _, name = path.rpartition("/")
        if name != "__init__.py":
            counts[folder] = counts.get(folder, 0) + 1
    assert counts["pipeline"] <= 5
    assert {folder: count for folder, count in counts.items() if count > 16} == {}


@pytest.mark.parametrize("library", HOMES)
def test_a_heavy_library_is_imported_at_home_only(library: str) -> None:
    users = [path for path in OWN if any(n.split(".")[0] == library for n in imports(path))]
    assert users, f"nobody imports {library}: take it out of HOMES"
    assert [path for path in users if not path.startswith(HOMES[library])] == []


def run_python(script: str) -> str:
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return done.stdout


def test_importing_the_packages_imports_nothing_heavy() -> None:
    packages = [path.removesuffix("/__init__.py").replace("/", ".") for path in OWN
                if path.endswith("/__init__.py")]  # fmt: skip
    packages.remove("pipeline.tables")  # schemas: who imports them needs polars anyway
    assert {"attributes", "pipeline", "reports", "flows", "pipeline.slices"} <= set(packages)
    heavy = {"duckdb", "jinja2", "numba", "numpy", "open_clip", "PIL", "polars", "prefect",
             "pyarrow", "pydantic", "rich", "scipy", "sklearn", "torch", "typer"}  # fmt: skip
    script = f"import sys, {', '.join(packages)}\nprint(sorted({heavy!r} & set(sys.modules)))"
    assert run_python(script) == "[]\n"


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("--version",)])
def test_help_and_version_wait_for_no_library(arguments: tuple[str, ...]) -> None:
    heavy = {"duckdb", "jinja2", "numba", "numpy", "open_clip", "PIL", "polars", "prefect",
             "pyarrow", "scipy", "sklearn", "torch"}  # fmt: skip
    # Not pydantic: newer versions of typer import it themselves, for options.
    script = (
        "import contextlib, io, sys\n"
        "from flows.commands.app import main\n"
        f"sys.argv = ['weakspot', *{arguments!r}]\n"
        "told = io.StringIO()\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(told):\n"
        "    main()\n"
        "print(len(told.getvalue()) > 10)\n"
        f"print(sorted({heavy!r} & set(sys.modules)))\n"
    )
    assert run_python(script) == "True\n[]\n"


def test_no_file_is_long() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in OWN}
    assert {path: count for path, count in lengths.items() if count > 300} == {}


def test_names_say_what_is_inside() -> None:
    parts = {path: set(path.removesuffix(".py").split("/")) for path in EVERY}
    assert [path for path, names in parts.items() if names & VAGUE] == []


def public_definitions(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[str, str | None]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            yield node.name, ast.get_docstring(node)
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node)


def test_every_module_and_everything_public_has_a_docstring() -> None:
    bare = [path for path in OWN if not ast.get_docstring(parse(path))]
    for path in OWN:
        bare += [f"{path}: {name}" for name, told in public_definitions(parse(path)) if not told]
    assert bare == []


def test_every_ignore_says_why() -> None:
    ignore = re.compile(r"#\s*(type: ignore|noqa)(?P<codes>[^#]*?)(?P<reason>\s[-#]\s*\S.*)?$")
    bare = []
    for path in OWN:
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1):
            found = ignore.search(line)
            if found and not found["reason"] and not re.search(r"\]\s+#\s*\S", line):
                bare.append(f"{path}:{number}: {line.strip()}")
    assert bare == []


def declared(groups: tuple[str, ...] = ()) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for group in groups for line in extras[group])]
    return {re.split(r"[^\w.-]", line)[0].lower().replace("_", "-") for line in lines}


def list_undeclared(paths: list[str], allowed: set[str]) -> dict[str, list[str]]:
    """Return the third-party modules of `paths` that no distribution in `allowed` brings."""
    owners = packages_distributions()
    missing: dict[str, list[str]] = {}
    for path in paths:
        for top in {name.split(".")[0] for name in imports(path)}:
            if top in sys.stdlib_module_names or top in {*ORDER, "tests"}:
                continue
            names = {owner.lower().replace("_", "-") for owner in owners.get(top, [])}
            if not names & allowed:
                missing.setdefault(top, []).append(path)
    return missing


def test_every_library_that_is_imported_is_declared() -> None:
    assert list_undeclared(OWN, declared(("detectors", "maps", "ocr", "openvino", "ray"))) == {}
    tests = [path for path in EVERY if path not in OWN]
    assert list_undeclared(tests, declared(("dev",))) == {}
