"""Reports: frames of one audit in, one self-contained HTML page out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.build import build_report
    from reports.data import (
        AttributeReport,
        DomainReport,
        FairnessReport,
        ReportData,
        SystemReport,
        Thumbnail,
    )

__all__ = [
    "AttributeReport",
    "DomainReport",
    "FairnessReport",
    "ReportData",
    "SystemReport",
    "Thumbnail",
    "build_report",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute of any type
    """Import on first use, so that `import reports` stays light."""
    if name == "build_report":
        from reports.build import build_report

        return build_report
    if name in __all__:
        import reports.data

        return getattr(reports.data, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
