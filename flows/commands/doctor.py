"""`weakspot doctor`: whether this installation can do its work, said in plain lines."""

import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

OWN_PACKAGES = ("attributes", "flows", "pipeline", "reports")
_NEEDED = {
    "duckdb": "duckdb",
    "open_clip": "open_clip_torch",
    "polars": "polars",
    "prefect": "prefect",
    "sklearn": "scikit-learn",
    "sliceline": "sliceline",
    "torch": "torch",
}


@dataclass(frozen=True)
class Check:
    """One thing that was checked: whether it is as it should be, and what to do when it is not."""

    name: str
    passed: bool
    message: str


def check_installation() -> list[Check]:
    """Check Python, packages, names, the device and the attribute files."""
    checks: tuple[Callable[[], Check], ...] = (
        _check_python,
        _check_packages,
        _check_owners,
        _check_fastapi,
        _check_attributes,
        _check_device,
        _check_prefect,
    )
    return [check() for check in checks]


def _check_python() -> Check:
    message = f"{platform.python_version()} at {sys.executable}"
    return Check("Python", sys.version_info >= (3, 11), message)


def _check_packages() -> Check:
    absent = [dist for name, dist in _NEEDED.items() if importlib.util.find_spec(name) is None]
    if absent:
        return Check("packages", passed=False, message=f"missing: {', '.join(absent)}; reinstall")
    versions = [f"{dist} {importlib.metadata.version(dist)}" for dist in _NEEDED.values()]
    return Check("packages", passed=True, message=", ".join(versions))


def _check_owners() -> Check:
    """Our packages have common names: another distribution may bring one of them too."""
    owners = importlib.metadata.packages_distributions()
    problems = []
    for name in OWN_PACKAGES:
        others = sorted(set(owners.get(name, [])) - {"weakspot"})
        if others:
            problems.append(f"{name!r} also comes with {', '.join(others)}")
        spec = importlib.util.find_spec(name)
        if spec is None:
            problems.append(f"{name!r} cannot be imported")
        elif spec.origin is None:
            problems.append(f"{name!r} is a folder without __init__.py, not ours")
    if problems:
        message = f"{'; '.join(problems)}; install weakspot into its own environment"
        return Check("names", passed=False, message=message)
    return Check("names", passed=True, message=f"{', '.join(OWN_PACKAGES)} are ours alone")


def _check_fastapi() -> Check:
    version = importlib.metadata.version("fastapi")
    major, minor = (int(part) for part in version.split(".")[:2])
    passed = (major, minor) < (0, 154)
    message = (
        version if passed else f'{version} breaks Prefect 3.8; run pip install "fastapi<0.154"'
    )
    return Check("fastapi", passed, message)


def _check_attributes() -> Check:
    from pipeline.labels.attribute_file import list_shipped

    names = list_shipped()
    return Check("attribute files", bool(names), f"{len(names)} shipped")


def _check_device() -> Check:
    import torch

    if torch.cuda.is_available():
        return Check("device", passed=True, message=f"GPU: {torch.cuda.get_device_name()}")
    if torch.backends.mps.is_available():
        return Check("device", passed=True, message="GPU: Apple, by Metal")
    cores = os.cpu_count()
    return Check("device", passed=True, message=f"no GPU: the {cores} cores of the CPU are used")


def _check_prefect() -> Check:
    url = os.environ.get("PREFECT_API_URL")
    message = f"server at {url}" if url else "a temporary server is started for each run"
    return Check("Prefect", passed=True, message=message)
