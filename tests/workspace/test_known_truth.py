"""True values that labels are judged by: majority of checkers, inclusion, truth before checks."""

from pathlib import Path

import polars as pl
import pytest

from pipeline.tables import CHECKS, LABELS, SAMPLES
from pipeline.workspace.journals.journal_lines import Answer
from pipeline.workspace.kept.kept_checks import Journal
from pipeline.workspace.known_truth import (
    KNOWN_TRUTH,
    find_unusable,
    fit_inclusion,
    list_denied,
    read_known_truth,
    summarize_checks,
)
from pipeline.workspace.manifests import LabelledAttribute, LabelManifest
from pipeline.workspace.store import Store, open_store


def make_checks(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    """Make checks of the label "yes" from checker, sample and value; "not yes" is just wrong."""
    data = [
        {"sample_id": s, "attribute": "hat", "shown": "yes", "value": None if v == "not yes" else v,
         "answer": {None: "cannot say", "yes": "right"}.get(v, "wrong"), "checker": c,
         "draw": "value", "inclusion": 0.5}
        for c, s, v in rows
    ]  # fmt: skip
    return pl.DataFrame(data, schema=dict(CHECKS))


def make_labels(values: dict[str, str], *, attribute: str = "hat") -> pl.DataFrame:
    data = [
        {"sample_id": s, "attribute": attribute, "source": "given", "value": v,
         "label_id": attribute}
        for s, v in values.items()
    ]  # fmt: skip
    return pl.DataFrame(data, schema=dict(LABELS))


def fit(inclusions: dict[str, float | None], labels: dict[str, str]) -> dict[str, float]:
    data = [
        {"sample_id": s, "attribute": "hat", "value": "yes", "inclusion": p, "draw": "value"}
        for s, p in inclusions.items()
    ]
    fitted = fit_inclusion(pl.DataFrame(data, schema=dict(KNOWN_TRUTH)), make_labels(labels))
    return dict(fitted.select("sample_id", "inclusion").iter_rows())


def test_the_majority_decides_and_ties_are_left_out() -> None:
    known = summarize_checks(
        make_checks(
            ("a", "1", "yes"), ("b", "1", "no"), ("c", "1", "yes"), ("a", "2", "yes"),
            ("b", "2", "no"), ("a", "3", None), ("a", "4", "no"), ("b", "4", None),
            ("a", "5", "unknown"),
        )
    )  # fmt: skip
    assert known.select("sample_id", "value").rows() == [("1", "yes"), ("4", "no")]


def test_just_wrong_counts_against_the_label_that_was_shown() -> None:
    checks = make_checks(
        ("a", "1", "yes"), ("b", "1", "not yes"), ("a", "2", "not yes"), ("a", "3", "not yes"),
        ("b", "3", "no"), ("a", "4", "not yes"), ("b", "4", "yes"), ("c", "4", "yes"),
    )  # fmt: skip
    known = summarize_checks(checks)
    assert known.select("sample_id", "value").rows() == [("3", "no"), ("4", "yes")]
    assert list_denied(checks).select("sample_id", "denied", "value").rows() == [("2", "yes", None)]


def test_labels_that_are_just_wrong_are_made_up_for_by_those_whose_truth_is_known() -> None:
    checks = make_checks(
        ("a", "0", "yes"), ("a", "1", "yes"), ("a", "2", "no"), ("a", "3", "not yes")
    )
    fitted = fit_inclusion(summarize_checks(checks), make_labels(TEN), denied=list_denied(checks))
    weights = {s: 1 / p for s, p in fitted.select("sample_id", "inclusion").iter_rows()}
    assert weights == pytest.approx({"0": 2.5, "1": 2.5, "2": 5.0})
    assert find_unusable(checks, make_labels(TEN)).is_empty()


def test_a_label_of_which_no_error_has_a_true_value_is_not_judged() -> None:
    checks = make_checks(("a", "0", "yes"), ("a", "3", "not yes"))
    fitted = fit_inclusion(summarize_checks(checks), make_labels(TEN), denied=list_denied(checks))
    assert fitted.is_empty()
    assert find_unusable(checks, make_labels(TEN)).rows() == [("hat", "yes", 1)]


TEN = {str(n): "yes" for n in range(10)} | {"x": "no"}


def test_inverse_inclusions_add_up_to_the_samples_of_each_label() -> None:
    fitted = fit({"0": 0.5, "1": 0.5, "2": 0.25, "x": 0.5}, TEN)
    assert sum(1 / p for s, p in fitted.items() if s != "x") == pytest.approx(10)
    assert fitted["0"] == pytest.approx(2 * fitted["2"])  # their ratio stays
    assert fitted["x"] == 1.0


def test_samples_without_inclusion_count_as_random_within_their_label() -> None:
    fitted = fit({"0": 0.2, "1": 0.2, "2": None, "3": None}, TEN)
    assert fitted == pytest.approx(dict.fromkeys("0123", 0.4))
    assert fit(dict.fromkeys("01", None), TEN) == pytest.approx(dict.fromkeys("01", 0.2))


def test_no_inclusion_exceeds_one() -> None:
    labels = dict.fromkeys("012", "yes")
    assert max(fit({"0": 1.0, "1": 1.0, "2": 0.2}, labels).values()) == 1.0


def test_samples_without_a_label_are_left_out() -> None:
    assert set(fit({"0": 0.5, "gone": 0.5}, TEN)) == {"0"}


def put_workspace(folder: Path, labels: pl.DataFrame) -> Store:
    store = open_store(folder)
    ids = labels["sample_id"].unique().sort()
    absent = [pl.lit(None, dtype=t).alias(n) for n, t in SAMPLES.items() if n != "sample_id"]
    store.put_samples(pl.DataFrame({"sample_id": ids}).with_columns(absent).select(list(SAMPLES)))
    store.put_labels(labels)
    return store


def check_both(sample_id: str, attribute: str) -> Answer:
    return Answer(
        sample_id=sample_id, attribute=attribute, shown="yes", answer="right", value="yes",
        checker="a", checked_at="2026-01-01T00:00:00+00:00", draw="imported",
    )  # fmt: skip


def test_an_attribute_has_one_source_truth_where_the_dataset_has_it(tmp_path: Path) -> None:
    labels = pl.concat([
        make_labels(dict.fromkeys("12", "yes")),
        make_labels(dict.fromkeys("12", "yes"), attribute="night"),
        make_labels({"1": "no", "2": "unknown"}).with_columns(label_id=pl.lit("truth")),
    ])  # fmt: skip
    store = put_workspace(tmp_path, labels)
    Journal(tmp_path).append_all(
        [check_both(s, a) for s in ("2", "gone") for a in ("hat", "night", "former")]
    )
    manifest = LabelManifest(
        attributes=tuple(
            LabelledAttribute(name=name, label_id=name, source="given") for name in ("hat", "night")
        ),
        truth={"hat": "truth"},
    )
    assert read_known_truth(store, manifest).rows() == [
        ("1", "hat", "no", 1.0, "truth"),
        ("2", "night", "yes", 0.5, "imported"),
    ]
