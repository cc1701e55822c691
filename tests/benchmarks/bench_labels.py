"""Labels: prompts and probes on real faces, and weak groups found through poor labels.

`python -m tests.benchmarks.bench_labels [quality lists weak tables] [--full] [--folder DIR]`:
the folder keeps the vectors of the faces; a temporary one is used without it.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from pipeline.labels.zero_shot import Ensemble
from tests.benchmarks.face_vectors import FACES, TRUTH, WEIGHTS, Faces
from tests.benchmarks.label_steps import label_faces, relabel, simulate_checks

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
            used += not made.note.startswith("zero-shot")
            one = measure_labels(made.labels, truth.filter(unseen), faces.names.filter(unseen))
            drawn.append(one)
            better = relabel(faces, attribute, prototypes, labels, known)
            used -= better.probe is None
        cells.append((float(np.mean([a for a, _ in drawn])), float(np.mean([b for _, b in drawn]))))
        rows.append(cells)
        text = "".join(f"{right:10.3f} {kappa:5.2f}" for right, kappa in cells)
        print(f"  {name:12}{text}{used:14d}/{len(seeds)}", flush=True)
    means = np.mean(rows, axis=0)
    print(f"  {'mean':12}" + "".join(f"{right:10.3f} {kappa:5.2f}" for right, kappa in means))


def main() -> None:
    """Run the parts that are asked for."""
    words = sys.argv[1:]
    if "--folder" in words:
        at = words.index("--folder")
        folder = Path(words[at + 1])
        words = [*words[:at], *words[at + 2 :]]
    else:
        folder = Path(tempfile.mkdtemp(prefix="weakspot-labels-"))
    full = "--full" in words
    asked = [word for word in words if word != "--full"] or ["quality"]
    if not (FACES.is_dir() and WEIGHTS.is_dir()):
        print(f"labels: {FACES.parent} holds no celeba and face-lite; nothing is measured")
        return
    for part in asked:
        {"quality": bench_quality}[part](folder, full=full)


if __name__ == "__main__":
    main()
