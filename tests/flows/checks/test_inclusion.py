"""Drawn, answered and weighted: estimates are right whatever was drawn for what."""

import numpy as np
import polars as pl
import pytest

from pipeline.checks.around_finding import select_around
from pipeline.checks.draw import DrawnChecks, draw_checks
from pipeline.tables import LABELS
from pipeline.workspace.journals.journal_lines import (
    Answer,
    Stratum,
    replay_lines,
    tabulate_answers,
)
from pipeline.workspace.known_truth import fit_inclusion, summarize_checks

IDS = [f"s{number:04}" for number in range(800)]
SAMPLES = pl.DataFrame({"sample_id": IDS}).with_columns(parent_id=pl.lit(None, dtype=pl.String))


class World:
    """Hats whose labels are wrong at night far more often than by day; a better labeller too."""

    def __init__(self) -> None:
        rng = np.random.default_rng(2)
        n = len(IDS)
        self.truth = np.where(rng.random(n) < 0.3, "yes", "no")
        night = rng.random(n) < 0.25
        wrong = rng.random(n) < np.where(night, 0.45, 0.08)
        self.first = np.where(wrong, self.flipped, self.truth)
        self.second = np.where(rng.random(n) < 0.1, self.flipped, self.truth)
        self.night = np.where(night, "night", "day")
        self.known = dict(zip(IDS, self.truth, strict=True))

    @property
    def flipped(self) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
        return np.where(self.truth == "yes", "no", "yes")

    def label(self, hat: np.ndarray[tuple[int], np.dtype[np.str_]]) -> pl.DataFrame:
        frames = [
            pl.DataFrame({"sample_id": IDS, "attribute": [name] * len(IDS), "value": values})
            for name, values in (("hat", hat), ("time", self.night))
        ]
        absent = [pl.lit(None, dtype=t).alias(n) for n, t in LABELS.items()
                  if n not in ("sample_id", "attribute", "value")]  # fmt: skip
        return pl.concat(frames).with_columns(absent).select(list(LABELS))

    def answer(self, drawn: DrawnChecks, count: int) -> list[Answer]:
        """Answer the first `count` rows; one in ten cannot be said."""
        answers = []
        for number, row in enumerate(drawn.rows.head(count).iter_rows(named=True)):
            value = None if number % 10 == 9 else self.known[row["sample_id"]]
            said = "cannot say" if value is None else "right" if value == row["shown"] else "wrong"
            fields = {name: row[name] for name in ("sample_id", "attribute", "shown", "draw")}
            fields |= {"answer": said, "value": value, "checker": "a", "checked_at": "2026"}
            answers.append(Answer.model_validate(fields))
        return answers


class Session:
    """A journal in memory, and estimates from it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.lines: list[Answer | Stratum] = []

    @property
    def checks(self) -> pl.DataFrame:
        lines = (line.model_dump_json().encode() for line in self.lines)
        return tabulate_answers(replay_lines(lines))

    def check(
        self, labels: pl.DataFrame, *, count: int, draw: str = "value", answered: int = 10_000
    ) -> None:
        drawn = draw_checks(
            labels, SAMPLES, attributes=["hat"], budget=count, seed=self.seed, checks=self.checks,
            draw=draw,
        )  # fmt: skip
        self.lines += [Stratum(**row, seed=0) for row in drawn.strata.iter_rows(named=True)]
        self.lines += self.world.answer(drawn, answered)

    def estimate(self, labels: pl.DataFrame) -> tuple[float, float, float]:
        """Return precision, recall and the share of hats, weighted by 1 / inclusion."""
        hats = labels.filter(attribute="hat")
        known = fit_inclusion(summarize_checks(self.checks), hats)
        both = known.join(hats.select("sample_id", label="value"), on="sample_id")
        weights = (1 / both["inclusion"]).to_numpy()
        true, labelled = (both[name].to_numpy() == "yes" for name in ("value", "label"))
        hit = weights[true & labelled].sum()
        return (hit / weights[labelled].sum(), hit / weights[true].sum(),
                weights[true].sum() / weights.sum())  # fmt: skip


@pytest.mark.slow
def test_precision_and_recall_are_unbiased_after_draws_for_a_finding_and_new_labels() -> None:
    world = World()
    first, second = world.label(world.first), world.label(world.second)
    predicates = [{"attribute": "hat", "value": "yes"}, {"attribute": "time", "value": "night"}]
    finding = select_around(first, SAMPLES, predicates, orders={})
    found: dict[str, list[tuple[float, float, float]]] = {"finding": [], "new labels": []}
    raw = []
    for seed in range(60):
        session = Session(world, seed)
        session.check(first, count=80)
        session.check(first, count=80, answered=41)  # ended early
        session.check(finding, count=60, draw="finding", answered=50)
        found["finding"].append(session.estimate(first))
        labelled = session.checks.filter(pl.col("shown") == "yes").drop_nulls("value")
        raw.append((labelled["value"] == "yes").mean())
        session.check(second, count=40, answered=30)
        found["new labels"].append(session.estimate(second))
    for name, labels in (("finding", world.first), ("new labels", world.second)):
        hit = ((world.truth == "yes") & (labels == "yes")).sum()
        true = (world.truth == "yes").sum()
        expected = (hit / (labels == "yes").sum(), hit / true, true / len(IDS))
        assert np.mean(found[name], axis=0) == pytest.approx(expected, abs=0.02)
        if name == "finding":  # without weights the draw for the finding shows
            assert np.mean(np.array(raw, dtype=float)) < expected[0] - 0.05
