"""A query kept as an attribute, so that the next run labels, searches and tests it."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from flows.retrieval.encode_query import QueryEncoder
from flows.retrieval.find_hits import Found
from flows.retrieval.search_session import SearchSession
from pipeline.arrays import Mask
from pipeline.exceptions import ConfigError
from pipeline.files.whole_files import write_bytes, write_text
from pipeline.labels.attribute_file import read_attribute
from pipeline.retrieval.neutral_texts import NEUTRAL_TEXTS
from pipeline.retrieval.query import Vector

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_CONTRASTS = 4  # neutral texts that are the prompts of "no"
_DIVIDED = 20_000  # samples that these are chosen by


def check_name(name: str, workspace: Path) -> Path:
    """Return the folder that an attribute NAME is saved to: `attributes` beside the workspace.

    Raises ConfigError for a name that is none, or is taken there.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"--save {name}: a name is letters, digits, - and _, and begins with a letter"
        )
    folder = workspace.absolute().parent / "attributes"
    for path in (folder / f"{name}.toml", folder / f"{name}.csv"):
        if path.exists():
            raise ConfigError(f"--save {name}: {path} is there already; take another name")
    return folder


def save_prompts(
    name: str,
    folder: Path,
    texts: Sequence[str],
    without: Sequence[str],
    session: SearchSession,
    encoder: QueryEncoder,
    found: Found,
) -> list[str]:
    """Write folder/NAME.toml with the texts as prompts of "yes"; return what to do next, in words.

    Prompts of "no" are those of --not, else the neutral texts beside which about as many samples
    are "yes" as there are hits.
    """
    against = list(without)
    if not against:
        against = _choose_contrasts(texts, session, encoder, found)
    applies = "object" if session.of_objects else "image"
    lines = [
        f"# Saved from a search: {' / '.join(texts)}".replace("\n", " "),
        f"name = {_quote(name)}",
        'kind = "prompts"',
        f"applies_to = {_quote(applies)}",
        "min_margin = 0.0",
        'templates = ["{}"]',
        "",
        "[values]",
        f"yes = [{', '.join(map(_quote, texts))}]",
        f"no = [{', '.join(map(_quote, against))}]",
        "",
    ]
    path = write_text("\n".join(lines), folder / f"{name}.toml")
    try:
        read_attribute(path)
    except ConfigError:
        path.unlink()
        raise
    return [
        f"wrote {path}",
        f'add "attributes/{name}.toml" to `use` under [attributes] of audit.toml, then run the '
        "audit again",
    ]


def save_ids(name: str, folder: Path, session: SearchSession, found: Found) -> list[str]:
    """Write folder/NAME.csv, yes or no for every sample; return what to do next, in words.

    "yes" are the hits announced, or the results shown where their end is not known. Raises
    ConfigError when nothing was found.
    """
    chosen = found.hit_ids if len(found.hit_ids) else found.table["sample_id"]
    if not len(chosen):
        raise ConfigError(f"--save {name}: nothing was found that could be saved")
    value = pl.when(pl.col("sample_id").is_in(chosen.implode())).then(pl.lit("yes"))
    table = session.samples.select("sample_id", value.otherwise(pl.lit("no")).alias(name))
    path = write_bytes(table.write_csv().encode(), folder / f"{name}.csv")
    return [
        f"wrote {path}: {len(chosen):,} samples are yes",
        f'add `columns = "attributes/{name}.csv"` to [dataset] and "{name}" to `given` under '
        "[attributes] of audit.toml, then run the audit again",
    ]


def _choose_contrasts(
    texts: Sequence[str], session: SearchSession, encoder: QueryEncoder, found: Found
) -> list[str]:
    """Return the neutral texts whose mean divides the samples most like the hits announced."""
    options = [text for text in NEUTRAL_TEXTS if text not in texts]
    vectors = encoder.encode_texts(options)
    ids = found.hit_ids if len(found.hit_ids) else found.table["sample_id"]
    some = session.samples.gather_every(1 + session.samples.height // _DIVIDED)
    samples = session.scan.vectors[some["row"].to_numpy()].astype(np.float32)
    own = samples @ found.query.wanted
    hits = some["sample_id"].is_in(ids.implode()).to_numpy()
    chosen: list[int] = []
    for _ in range(_CONTRASTS):
        left = [place for place in range(len(options)) if place not in chosen]
        scores = [_agree(own, samples @ _mean(vectors[[*chosen, place]]), hits) for place in left]
        chosen.append(left[int(np.argmax(scores))])
    return [options[place] for place in chosen]


def _agree(own: Vector, other: Vector, hits: Mask) -> float:
    """Return F1 of "nearer to the query than to the other text" against the hits."""
    yes = own > other
    both = int(np.count_nonzero(yes & hits))
    return 2.0 * both / max(int(yes.sum() + hits.sum()), 1)


def _mean(vectors: Vector) -> Vector:
    mean: Vector = vectors.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
