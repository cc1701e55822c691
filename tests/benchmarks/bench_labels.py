"""Labels: prompts and probes on real faces, and weak groups found through poor labels.

`python -m tests.benchmarks.bench_labels [quality lists weak tables null] [--full] [--folder DIR]`:
the folder keeps the vectors of the faces, which take minutes to make; without it they are made
again. `make bench` makes the tables alone.
"""

import sys
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.labels.zero_shot import Ensemble
from pipeline.workspace.known_truth import fit_inclusion
from tests.benchmarks.face_lists import compare_lists, print_groups, read_misses
from tests.benchmarks.face_vectors import FACES, TRUTH, WEIGHTS, Faces
from tests.benchmarks.label_steps import (
    Relabelled,
    know_labels,
    label_faces,
    relabel,
    simulate_checks,
    widen,
)
from tests.benchmarks.weak_results import (
    BUDGET,
    Tally,
    find_weak,
    print_strength,
    print_world,
)
from tests.benchmarks.weak_worlds import (
    BASE,
    STRENGTHS,
    WeakWorld,
    draw_table,
    plant_groups,
)

_WEAK = ("gender", "young", "eyeglasses", "hat", "beard", "smiling")
_LISTS = ("gender", "young", "hat", "eyeglasses", "bald", "beard", "smiling", "hair_color")
_FIRST = 400  # seeds below it were used while methods were chosen
_ENSEMBLES: tuple[Ensemble, ...] = ("naive", "mean", "probability", "max")


def measure_labels(labels: pl.DataFrame, truth: pl.Series, ids: pl.Series) -> tuple[float, float]:
    """Return the share right and kappa of the samples that have a true value."""
    own = pl.DataFrame({"sample_id": ids, "truth": truth}).drop_nulls()
    both = own.join(labels.select("sample_id", "value"), on="sample_id")
    right = float((both["truth"] == both["value"]).to_numpy().mean())
    shares = (
        both["truth"]
        .value_counts()
        .join(both["value"].value_counts(), left_on="truth", right_on="value")
    )
    chance = float((shares["count"] * shares["count_right"]).sum()) / both.height**2
    return right, (right - chance) / (1 - chance)


def bench_quality(folder: Path, *, full: bool) -> None:
    """Print how right each way of labelling is, the probe from 100 checks of each label."""
    seeds = range(5 if full else 1)
    faces = Faces(folder)
    print(f"labels: {len(faces.names):,} faces, share right and agreement beyond chance; the probe")
    print(
        f"from up to 100 checks of each label, of the faces not checked, mean of {len(seeds)} draws"
    )
    print(f"  {'':12}" + "".join(f"{name:>16}" for name in (*_ENSEMBLES, "probe", "used")))
    rows = []
    for name in TRUTH:
        attribute, truth = faces.make_attribute(name), faces.read_truth(name)
        cells = []
        for ensemble in _ENSEMBLES:
            prototypes = faces.weigh_prompts(attribute, ensemble)
            labels = label_faces(faces, attribute, prototypes)
            cells.append(measure_labels(labels, truth, faces.names))
        prototypes = faces.weigh_prompts(attribute, attribute.ensemble)
        labels = label_faces(faces, attribute, prototypes)
        drawn, used = [], 0
        frame = pl.DataFrame({"sample_id": faces.names, name: truth})
        for seed in seeds:
            known = simulate_checks(labels, frame, per_value=100, seed=seed)
            unseen = ~faces.names.is_in(known["sample_id"].implode())
            made = relabel(faces, attribute, prototypes, labels, known, always=True)
            one = measure_labels(made.labels, truth.filter(unseen), faces.names.filter(unseen))
            drawn.append(one)
            better = relabel(faces, attribute, prototypes, labels, known)
            used += better.probe is not None
        cells.append((float(np.mean([a for a, _ in drawn])), float(np.mean([b for _, b in drawn]))))
        rows.append(cells)
        text = "".join(f"{right:10.3f} {kappa:5.2f}" for right, kappa in cells)
        print(f"  {name:12}{text}{used:14d}/{len(seeds)}", flush=True)
    means = np.mean(rows, axis=0)
    print(f"  {'mean':12}" + "".join(f"{right:10.3f} {kappa:5.2f}" for right, kappa in means))


def bench_lists(folder: Path, *, full: bool) -> None:
    """Print how near findings and errors by labels, and corrected ones, are to those by truth."""
    faces = Faces(folder)
    errors, truth = read_misses(faces), pl.DataFrame([faces.read_truth(name) for name in _LISTS])
    attributes = {name: faces.make_attribute(name) for name in _LISTS}
    prototypes = {name: faces.weigh_prompts(one, one.ensemble) for name, one in attributes.items()}
    labels = pl.concat(
        label_faces(faces, one, prototypes[name]) for name, one in attributes.items()
    )
    print(f"lists: Haar cascade on {len(faces.names):,} faces, {errors.mean():.3f} missed; "
          "100 checks a label")  # fmt: skip
    for seed in range(_FIRST, _FIRST + (5 if full else 1)):
        frame = truth.with_columns(sample_id=faces.names)
        known = simulate_checks(
            labels,
            frame,
            per_value=100,
            seed=seed,
            failed=faces.names.filter(pl.Series(errors > 0)),
        )  # fmt: skip
        probed = pl.concat(
            relabel(faces, one, prototypes[name], labels.filter(attribute=name),
                    known.filter(attribute=name)).labels
            for name, one in attributes.items()
        )  # fmt: skip
        for what, own in (("prompts", labels), ("prompts or probe", probed)):
            table = widen(own, faces.names)
            judged = know_labels(table, errors, fit_inclusion(known, own), faces.names)
            measured = compare_lists(truth, table, judged, errors)
            words = ", ".join(f"{name} {value:.3g}" for name, value in measured.items())
            print(f"  seed {seed}, {what}: {words}")
            print_groups(truth, table, judged, errors)


def bench_weak(folder: Path, *, full: bool) -> None:
    """Print which planted groups are found on degraded faces, from labels alone and by checks."""
    faces = Faces(folder, degraded=True)
    attributes = {name: faces.make_attribute(name) for name in _WEAK}
    prototypes = {name: faces.weigh_prompts(one, "naive") for name, one in attributes.items()}
    labels = {name: label_faces(faces, one, prototypes[name]) for name, one in attributes.items()}
    truth = pl.DataFrame([faces.read_truth(name) for name in _WEAK])
    for name in _WEAK:
        right, kappa = measure_labels(labels[name], truth[name], faces.names)
        print(f"  {name:12} {right:.2f} right, agreement beyond chance {kappa:.2f}")

    def relabel_all(own: pl.DataFrame, known: pl.DataFrame) -> Mapping[str, Relabelled]:
        return {
            name: relabel(faces, attributes[name], prototypes[name], own.filter(attribute=name),
                          known.filter(attribute=name))
            for name in _WEAK
        }  # fmt: skip

    print(f"weak groups on {len(faces.names):,} degraded faces, prompts of one wording, "
          f"{BUDGET} checks in all")  # fmt: skip
    together = pl.concat(labels.values())
    for strength in STRENGTHS if full else STRENGTHS[:1]:
        print_strength(strength)
        tally = Tally()
        for seed in range(_FIRST, _FIRST + (5 if full else 1)):
            world = plant_groups(faces.names, together, truth, seed=seed, strength=strength)
            tally += print_world(seed, world, find_weak(world, seed=seed, relabel_all=relabel_all))
        print(f"  {tally.describe()}")


def bench_tables(_folder: Path, *, full: bool) -> None:
    """Print which planted groups are found in generated tables of three levels of noise."""
    print(f"weak groups in 5,000 generated rows, {BUDGET} checks in all")
    for flips, strength in product((0.05, 0.1, 0.2), STRENGTHS if full else STRENGTHS[:1]):
        print(f"  {flips:.0%} of labels wrong")
        print_strength(strength)
        tally = Tally()
        for seed in range(_FIRST, _FIRST + (5 if full else 1)):
            ids, labels, truth = draw_table(seed, flips=flips)
            world = plant_groups(ids, labels, truth, seed=seed, strength=strength)
            tally += print_world(seed, world, find_weak(world, seed=seed))
        print(f"  {tally.describe()}")


def bench_null(_folder: Path, *, full: bool) -> None:
    """Print in how many tables whose errors depend on nothing a slice is worth checking."""
    tables = 120 if full else 40
    listed = 0
    for seed in range(1_000, 1_000 + tables):
        ids, labels, truth = draw_table(seed, flips=(0.05, 0.1, 0.2)[seed % 3])
        errors = np.random.default_rng(seed).random(len(ids)) < BASE
        world = WeakWorld(ids, labels, truth, np.full(len(ids), BASE), errors.astype(float), ())
        listed += find_weak(world, seed=seed).checked.hidden.height > 0
    print(f"no weak group in {tables} generated tables: {listed} with a slice worth checking")


def main() -> None:
    """Run the parts that are asked for; of those that need no data the tables alone."""
    words = sys.argv[1:]
    with tempfile.TemporaryDirectory() as own:
        folder = Path(own)
        if "--folder" in words:
            at = words.index("--folder")
            folder = Path(words[at + 1])
            words = [*words[:at], *words[at + 2 :]]
        full = "--full" in words
        parts = {
            "quality": bench_quality,
            "lists": bench_lists,
            "weak": bench_weak,
            "tables": bench_tables,
            "null": bench_null,
        }
        for part in [word for word in words if word != "--full"] or ["tables"]:
            if part not in ("tables", "null") and not (FACES.is_dir() and WEIGHTS.is_dir()):
                print(f"labels: {FACES.parent} holds no celeba and face-lite; no {part}")
                continue
            parts[part](folder, full=full)


if __name__ == "__main__":
    main()
