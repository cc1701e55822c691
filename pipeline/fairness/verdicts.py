"""From the verdicts on groups to one on a system: which of them count, and their sum."""

from collections.abc import Collection

import polars as pl

from pipeline.fairness.gates import Verdict
from pipeline.vocabulary import FAIL, INSUFFICIENT, NOT_JUDGED, PASS

ALL = "all"  # in the column labels: of all samples, whatever their labels


def sum_up_systems(
    verdicts: pl.DataFrame, *, min_group: int, questionable: Collection[str] = ()
) -> dict[str, Verdict]:
    """Return the verdict on each system, in their order.

    verdicts: VERDICTS with the columns system and labels ("predicted", "truth", or "all": of all
    samples). questionable: systems whose outputs may not be what they seem; they do not pass.
    """
    counted = select_counted(verdicts)
    return {
        name: sum_up_verdicts(
            counted.filter(pl.col("system") == name),
            min_group=min_group,
            questionable=name in questionable,
        )
        for name in verdicts["system"].unique(maintain_order=True)
    }


def select_counted(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return the verdicts that count: true values overrule predicted labels of an attribute.

    verdicts: VERDICTS with the column labels. A pair of attributes counts by predicted labels when
    one of the two has no true values. The verdict on all samples comes first, then those by truth.
    """
    overall = verdicts.filter(pl.col("labels") == ALL)
    names = pl.col("predicates").list.eval(pl.element().struct.field("attribute"))
    true = verdicts.filter(pl.col("labels") == "truth")
    known = true.select(names.explode().unique()).to_series().to_list()
    unknown = verdicts.filter(
        pl.col("labels") == "predicted",
        names.list.eval(~pl.element().is_in(known)).list.any(),
    )
    return pl.concat([overall, true, unknown])


def select_failures(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return the failures among the verdicts that count. verdicts: as for `select_counted`."""
    return select_counted(verdicts).filter(pl.col("verdict") == FAIL)


def sum_up_verdicts(
    verdicts: pl.DataFrame, *, min_group: int = 0, questionable: bool = False
) -> Verdict:
    """Return "fail" if a group fails, "pass" if all decisive groups pass, else neither.

    A value too rare to judge, an excess that is not significant, or a system whose outputs are
    questionable, is no pass. Nor is a decisive group whose labels were not checked: then that is
    the verdict, since checking them is what comes first.
    """
    if (verdicts["verdict"] == FAIL).any():
        return FAIL
    decisive = select_decisive(verdicts, min_group=min_group)["verdict"]
    if (decisive == NOT_JUDGED).any():
        return NOT_JUDGED
    passes = decisive == PASS
    return PASS if len(passes) and passes.all() and not questionable else INSUFFICIENT


def select_decisive(verdicts: pl.DataFrame, *, min_group: int = 0) -> pl.DataFrame:
    """Return the groups that must be judged for a pass: some pair of values is always rare.

    These are all samples, every value of a single attribute, and of pairs those that are large
    enough, for the gates (`min_group`) and for a test.
    """
    single = pl.col("predicates").list.len() <= 1
    large = pl.col("n").fill_null(0) >= min_group
    return verdicts.filter(single | (pl.col("q").is_not_null() & large))
