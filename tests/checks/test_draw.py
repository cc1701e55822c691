"""Drawing samples to check: random within labels, balanced, extended by later draws."""

import polars as pl
import pytest

from pipeline.checks.draw import DrawnChecks, draw_checks
from pipeline.tables import CHECKS, LABELS

SIZES = {("hat", "yes"): 60, ("hat", "no"): 300, ("hat", "unknown"): 40, ("age", "old"): 25,
         ("age", "young"): 375}  # fmt: skip


def make_labels(sizes: dict[tuple[str, str], int]) -> pl.DataFrame:
    rows: list[dict[str, str]] = []
    start: dict[str, int] = {}
    for (attribute, value), size in sizes.items():
        first = start.get(attribute, 0)
        start[attribute] = first + size
        rows += [
            {"sample_id": f"s{number:05}", "attribute": attribute, "source": "zero-shot",
             "value": value, "label_id": attribute}
            for number in range(first, first + size)
        ]  # fmt: skip
    return pl.DataFrame(rows, schema=dict(LABELS))


def make_samples(labels: pl.DataFrame) -> pl.DataFrame:
    return labels.select("sample_id").unique(maintain_order=True)


def make_checks(rows: pl.DataFrame, *, checker: str = "a") -> pl.DataFrame:
    """Answer every row with "right"."""
    return rows.select(
        "sample_id", "attribute", "shown", answer=pl.lit("right"), value="shown",
        checker=pl.lit(checker), checked_at=pl.lit("2026-01-01T00:00:00"), draw=pl.lit("value"),
        inclusion="inclusion",
    ).select(list(CHECKS))  # fmt: skip


def draw(
    budget: int,
    *,
    seed: int = 3,
    per_value: int | None = None,
    checks: pl.DataFrame | None = None,
) -> DrawnChecks:
    labels = make_labels(SIZES)
    return draw_checks(
        labels, make_samples(labels), attributes=["hat", "age"], budget=budget, seed=seed,
        per_value=per_value, checks=checks,
    )  # fmt: skip


def count(rows: pl.DataFrame) -> dict[tuple[str, str], int]:
    counted = rows.group_by("attribute", "shown").len()
    return {(a, v): n for a, v, n in counted.iter_rows()}


def test_the_whole_budget_is_drawn_of_every_label_unknown_included() -> None:
    rows = draw(100).rows
    assert rows.height == 100
    assert count(rows) == dict.fromkeys(SIZES, 20)
    assert rows.select("sample_id", "attribute").is_duplicated().sum() == 0


def test_a_seed_gives_one_order_and_another_seed_another() -> None:
    assert draw(100).rows.equals(draw(100).rows)
    assert not draw(100).rows.equals(draw(100, seed=4).rows)


def test_the_first_half_is_balanced_as_the_whole() -> None:
    assert count(draw(100).rows.head(50)) == dict.fromkeys(SIZES, 10)


def test_a_budget_beyond_all_samples_draws_all() -> None:
    drawn = draw(10_000)
    assert count(drawn.rows) == SIZES
    assert drawn.rows["inclusion"].unique().to_list() == [1.0]


def test_a_later_draw_extends_the_earlier_one_and_asks_nothing_again() -> None:
    first = draw(0, per_value=10)
    second = draw(0, per_value=20, checks=make_checks(first.rows))
    once = draw(0, per_value=20)
    both = pl.concat([first.rows, second.rows])
    keys = ["sample_id", "attribute"]
    assert both.select(keys).sort(keys).equals(once.rows.select(keys).sort(keys))
    columns = ["attribute", "shown", "size", "drawn"]
    assert second.strata.select(columns).equals(once.strata.select(columns))


def test_inclusion_is_the_share_of_the_label_that_is_drawn() -> None:
    drawn = draw(100)
    for row in drawn.strata.iter_rows(named=True):
        own = drawn.rows.filter(attribute=row["attribute"], shown=row["shown"])
        assert row["size"] == SIZES[row["attribute"], row["shown"]]
        assert own["inclusion"].unique().to_list() == [20 / row["size"]]
        assert own["sample_id"].to_list() == row["drawn"]


def test_failed_samples_are_drawn_more_often_and_weigh_less() -> None:
    labels = make_labels({("hat", "yes"): 400, ("hat", "no"): 400})
    failed = labels.gather_every(20)["sample_id"].unique()  # 20 of 400 of each label
    drawn = draw_checks(
        labels, make_samples(labels), attributes=["hat"], budget=60, seed=1, failed=failed
    )
    rows = drawn.rows.with_columns(failed=pl.col("sample_id").is_in(failed.implode()))
    counts = rows.group_by("shown", "failed").agg(pl.len(), pl.col("inclusion").first())
    assert sorted(counts.rows()) == [
        ("no", False, 18, 18 / 380), ("no", True, 12, 12 / 20),
        ("yes", False, 18, 18 / 380), ("yes", True, 12, 12 / 20),
    ]  # fmt: skip
    assert (1 / rows["inclusion"]).sum() == pytest.approx(800)  # every sample is spoken for
    assert sorted(drawn.strata["size"]) == [20, 20, 380, 380]
    assert rows.head(30)["failed"].sum() == 12  # who stops halfway has two fifths of them too
