"""`weakspot tune`: the head of an encoder trained on known values, or an honest refusal."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.exceptions import ConfigError

if TYPE_CHECKING:
    from flows.tuning.tune_head import TunedHead
    from flows.tuning.tuning_set import TuningSet
    from pipeline.tuning.judge_head import Change

_LOCAL = "local-dir:"


class BackgroundName(StrEnum):
    """What is kept while training."""

    words = "words"
    none = "none"


def tune(
    audit: Annotated[Path, typer.Argument(help="The audit.toml.", metavar="AUDIT.toml")],
    *,
    out: Annotated[Path, typer.Option(help="A new folder: an open_clip local-dir.")],
    target: Annotated[
        list[str], typer.Option(help="An attribute with prompts and true values; repeatable.")
    ],
    background: Annotated[
        BackgroundName,
        typer.Option(help="Keep what the encoder says of many words, or nothing, in training."),
    ] = BackgroundName.words,
    keep: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The largest loss of the background.")
    ] = 0.01,
    steps: Annotated[int, typer.Option(min=1, help="Steps of training.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Of the batches.")] = 0,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False,
) -> None:
    """Tune an encoder on what is known of its labels; exit with 3 where that gains nothing."""
    from flows.run.health.access import restrict_access
    from flows.run.loaded_models import load_open_clip
    from flows.run.logs import advance_progress, set_up_logging, show_progress
    from flows.run.resolved_audit import resolve_audit
    from flows.tuning.tune_head import tune_head
    from flows.tuning.tuning_set import read_tuning_set
    from pipeline.tuning.head_training import TuneSettings
    from pipeline.workspace.lock import lock_workspace
    from pipeline.workspace.store import find_store

    set_up_logging()
    resolved = resolve_audit(audit)
    source = _find_source(resolved.audit.encoder.model if resolved.audit.encoder else "", out)
    store = find_store(resolved.audit.workspace)
    with restrict_access(resolved.audit.access), lock_workspace(resolved.audit.workspace):
        given = read_tuning_set(
            resolved, store, targets=list(dict.fromkeys(target)), load=load_open_clip
        )
        kept = background is BackgroundName.words
        with show_progress("tune", steps):
            tuned = tune_head(
                given, keep=keep, settings=TuneSettings(steps=steps, seed=seed),
                with_background=kept, progress=advance_progress,
            )  # fmt: skip
        written = tuned.step is not None
        if written:
            _write(source, out, tuned, card=_write_card(given, tuned, source.name, keep=keep))
    if json_output:
        typer.echo(json.dumps(_to_content(given, tuned, out), ensure_ascii=False))
    else:
        _print(given, tuned, out, keep=keep)
    if not written:
        raise typer.Exit(3)


def _find_source(model: str, out: Path) -> Path:
    if not model.startswith(_LOCAL):
        raise ConfigError(
            f"[encoder] model {model!r}: only an encoder in a local-dir can be tuned; save it with "
            "open_clip and name it as local-dir:FOLDER"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"--out {out}: is there already; name a new folder")
    return Path(model.removeprefix(_LOCAL))


def _write(source: Path, out: Path, tuned: "TunedHead", *, card: str) -> None:
    from pipeline.files.whole_folders import replace_folder
    from pipeline.tuning.image_projection import write_turned

    try:
        with replace_folder(out) as unfinished:
            write_turned(source, unfinished, tuned.matrix, card=card)
            tuned.curve.write_csv(unfinished / "forgetting_curve.csv")
            tuned.table.write_csv(unfinished / "judged.csv")
    except OSError as error:
        raise ConfigError(f"--out {out}: cannot be written: {error.strerror or error}") from None


def _write_card(given: "TuningSet", tuned: "TunedHead", source: str, *, keep: float) -> str:
    lines = ["# A tuned encoder", "", f"Tuned from {source} ({given.encoder_id}) for "
             f"{', '.join(given.targets)}.", ""]  # fmt: skip
    lines += [f"- {line}" for line in describe(given, tuned, keep=keep)]
    return "\n".join([*lines, "", "judged.csv and forgetting_curve.csv have all numbers.", ""])


def describe(given: "TuningSet", tuned: "TunedHead", *, keep: float) -> list[str]:
    """Return sentences on the gain, the loss, the probe, and what was chosen."""
    lines = list(given.notes)
    what = ", ".join(given.background) or "the best of many words for each sample"
    lines.append(f"background: {what}; allowed loss {_write_points(keep)} points")
    shown = "the whole way" if tuned.step is None else f"step {tuned.step:g}"
    lines.append(
        f"{shown}, on held-out groups: gain {_write_change(tuned.gain)}, loss of the background "
        f"{_write_change(tuned.loss)} (points of balanced accuracy, 95 %)"
    )
    lines.append(f"trained without a background, the loss is {_write_change(tuned.plain_loss)}")
    lines.append(f"a linear probe gains {_write_change(tuned.probe_gain)}, and forgets nothing")
    if tuned.step is None:
        better = "the linear probe is better: [attributes] probe labels by it"
        other = better if tuned.probe_gain.low > 0 else "nor does the linear probe gain for certain"
        lines.append(f"refused: no step gains without losing more than that; {other}")
    elif tuned.probe_gain.value > tuned.gain.value:
        lines.append("the linear probe gains more; tune where prompts and search shall gain too")
    return lines


def _write_points(share: float) -> str:
    return f"{100 * share:.1f}"


def _write_change(change: "Change") -> str:
    low, high = _write_points(change.low), _write_points(change.high)
    return f"{100 * change.value:+.1f} ({low} to {high})"


def _to_content(given: "TuningSet", tuned: "TunedHead", out: Path) -> dict[str, Any]:
    changes = {"gain": tuned.gain, "loss": tuned.loss, "plain_loss": tuned.plain_loss,
               "probe_gain": tuned.probe_gain}  # fmt: skip
    return {
        "step": tuned.step,
        "out": None if tuned.step is None else str(out),
        **{name: [one.value, one.low, one.high] for name, one in changes.items()},
        "notes": list(given.notes),
        "curve": tuned.curve.to_dicts(),
        "judged": tuned.table.to_dicts(),
    }


def _print(given: "TuningSet", tuned: "TunedHead", out: Path, *, keep: float) -> None:
    from flows.commands.console import open_console
    from flows.commands.console_tables import tabulate
    from pipeline.tuning.judge_head import NO_PROOF

    console = open_console()
    heads = {
        "accuracy": "accuracy", "recall_image": "image R@1", "recall_text": "text R@1",
        "precision": "precision", "matched_less_others": "matched - others", "matched": "matched *",
    }  # fmt: skip
    rows = tuned.table.to_dicts()
    columns = {"attribute": [row["attribute"] for row in rows], "way": [row["way"] for row in rows],
               "n": [f"{row['n']:,}" for row in rows]}  # fmt: skip
    for name, head in heads.items():
        columns[head] = ["" if row[name] is None else f"{row[name]:.3f}" for row in rows]
    console.print(
        tabulate("On groups that nothing was fitted to", columns, caption=f"* {NO_PROOF}")
    )
    for line in describe(given, tuned, keep=keep):
        console.print(line, markup=False, soft_wrap=True)
    if tuned.step is not None:
        console.print(f"wrote {out}; use it as [encoder] model = \"local-dir:{out}\"", markup=False,
                      soft_wrap=True)  # fmt: skip
