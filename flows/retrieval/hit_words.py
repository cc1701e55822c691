"""What a search found in words: the same sentences in the terminal and on the page."""

import math
from typing import Any

from flows.retrieval.find_hits import Found, HitErrors
from flows.retrieval.search_session import SearchSession
from pipeline.statistics.estimates import Estimate
from reports.parts.numbers import format_number, format_percent

BY_LOOKING = (
    "the hits were chosen by looking, so this is no evidence; save the query as an attribute "
    "(--save NAME), and the next run tests it"
)


def describe_end(found: Found) -> str:
    """Say in one sentence where the hits end."""
    if found.count is None and found.query.kind == "text":
        return (
            "no hits: words about nothing in particular fit the best samples as well; there is "
            "nothing of the kind, or the encoder does not know these words"
        )
    if found.count is None:
        return "where the hits end is not known: the scores have no second component"
    return (
        f"about {found.count.rounded:,} of {found.searched:,} are hits; below rank "
        f"{found.count.chance_rank:,} it is chance"
    )


def describe_errors(one: HitErrors) -> str:
    """Say in one sentence how a system does on the hits and elsewhere."""
    rate = one.hits.rate
    low, high = one.interval
    ends = f" to {_write(high, rate=rate)}"
    difference = f"{_write(one.difference, rate=rate)} ({_write(low, rate=rate)}{ends})"
    return (
        f"error of {one.system}: {_write_estimate(one.hits)} in the hits, "
        f"{_write_estimate(one.rest)} in the rest; difference {difference}, 95 % intervals"
    )


def list_facts(found: Found, *, ended: bool = True) -> list[str]:
    """Return the sentences that go with the results; ended: with where the hits end."""
    facts = [describe_end(found)] if ended else []
    facts += [describe_errors(one) for one in found.errors]
    facts += [BY_LOOKING] if found.errors else []
    return [*facts, *found.notes]


def to_json(found: Found, session: SearchSession, *, query: dict[str, Any]) -> dict[str, Any]:
    """Return the object that --json prints."""
    count = found.count
    return {
        "query": query,
        "encoder_id": session.card.encoder_id,
        "dataset": str(session.root),
        "searched": found.searched,
        "hits": None if count is None else {
            "count": round(count.hits, 1),
            "announced": count.rounded,
            "chance_rank": count.chance_rank,
        },
        "errors": [
            {
                "system": one.system,
                "hits": _to_numbers(one.hits),
                "rest": _to_numbers(one.rest),
                "difference": _finite(one.difference),
                "difference_low": _finite(one.interval[0]),
                "difference_high": _finite(one.interval[1]),
                "chosen_by_looking": True,
            }
            for one in found.errors
        ],
        "notes": [*session.notes, *found.notes],
        "samples": found.table.to_dicts(),
    }  # fmt: skip


def _to_numbers(one: Estimate) -> dict[str, float | int | None]:
    low, high = one.interval
    return {"error": _finite(one.value), "low": _finite(low), "high": _finite(high), "n": one.n}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _write_estimate(one: Estimate) -> str:
    low, high = one.interval
    ends = f"{_write(low, rate=one.rate)} to {_write(high, rate=one.rate)}"
    return f"{_write(one.value, rate=one.rate)} ({ends}, n = {one.n:,})"


def _write(value: float, *, rate: bool) -> str:
    return format_percent(value) if rate else format_number(value)
