"""The check that every frame of a report has the columns of its table."""

from pipeline.errors.evaluation.evaluation_tables import (
    CATEGORY_SCORES,
    CONFUSIONS,
    CURVE,
    ERROR_KINDS,
    ERROR_PLACES,
    OPERATING_POINTS,
    SIZE_SCORES,
)
from pipeline.tables import (
    COLLECTION,
    COMBINATIONS,
    CORRECTIONS,
    COVERAGE,
    DISPARITIES,
    FAMILY,
    GAPS,
    LABEL_CALIBRATION,
    LABEL_QUALITY,
    LABEL_RELIABILITY,
    LEARNING_CURVE,
    MAP_REGIONS,
    REGIONS,
    REJECTS,
    REPORTED,
    SWEEP,
    VALUE_ERRORS,
    VERDICTS,
    check,
)
from reports.models import ReportData, SystemReport


def check_report_data(data: ReportData) -> None:
    """Check every frame of `data`. Raises TableError naming the table and its faulty columns."""
    check(data.coverage, COVERAGE, table="coverage")
    check(data.value_errors, VALUE_ERRORS, table="value_errors")
    check(data.rejects, REJECTS, table="rejects")
    if data.label_quality is not None:
        check(data.label_quality.quality, LABEL_QUALITY, table="label_quality")
        check(data.label_quality.reliability, LABEL_RELIABILITY, table="label_reliability")
        check(data.label_quality.calibration, LABEL_CALIBRATION, table="label_calibration")
        check(data.label_quality.learning, LEARNING_CURVE, table="label_learning")
    for system in data.systems:
        _check_system(system)
    for report in data.fairness:
        check(report.gaps, GAPS, table=f"gaps of {report.system}")
        check(report.disparities, DISPARITIES, table=f"disparities of {report.system}")
        if report.verdicts is not None:
            check(report.verdicts, VERDICTS, table=f"verdicts of {report.system}")
    for drawn in data.maps:
        check(drawn.regions, MAP_REGIONS, table=f"map regions of {drawn.system}")
    if data.domain is not None:
        check(data.domain.combinations, COMBINATIONS, table="combinations")
        check(data.domain.collect_next, COLLECTION, table="collect_next")
        if data.domain.pairs is not None:
            check(data.domain.pairs, COMBINATIONS, table="pairs")


def _check_system(system: SystemReport) -> None:
    check(system.findings, REPORTED, table=f"findings of {system.name}")
    check(system.worth_checking, CORRECTIONS, table=f"worth checking of {system.name}")
    check(system.top_slices, FAMILY, table=f"top slices of {system.name}")
    if system.regions is not None:
        check(system.regions, REGIONS, table=f"regions of {system.name}")
    for rank, sweep in system.sweeps.items():
        check(sweep, SWEEP, table=f"sweep of finding {rank} of {system.name}")
    if system.detector is not None:
        check(system.detector.categories, CATEGORY_SCORES, table="category scores")
        check(system.detector.points, OPERATING_POINTS, table="operating points")
        check(system.detector.kinds, ERROR_KINDS, table="error kinds")
        check(system.detector.confusions, CONFUSIONS, table="confusions")
        check(system.detector.curves, CURVE, table="curves")
        check(system.detector.places, ERROR_PLACES, table="error places")
        check(system.detector.sizes, SIZE_SCORES, table="size scores")
