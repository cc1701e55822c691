"""The demo's promises in numbers: labels, gaps, and findings against the truth over fresh seeds.

`python -m tests.benchmarks.bench_demo --seeds 5 --images 3000` draws seeds that were never used,
with a balanced detector beside the first; `--first N` takes the seeds from N on instead, `--labels`
prints only the table that docs/demo.md shows.
"""

import argparse
import secrets
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from flows.commands.demo import (
    compare_with_search,
    compare_with_truth,
    prepare_demo,
    read_true_table,
    run_demo_audit,
)
from pipeline.config.audit import EncoderConfig, read_audit
from pipeline.demo.audit_files import BALANCED_SYSTEM, SYSTEM, find_encoder
from pipeline.demo.compare import Comparison, write_comparison
from pipeline.demo.system import LEFT_OUT
from pipeline.demo.training.label_accuracy import measure_label_accuracy, read_prompts
from pipeline.demo.training.training_set import Pictures, make_pictures, sift_crops
from pipeline.embeddings.card import Encoder
from pipeline.embeddings.encoder import load_encoder
from pipeline.files.core_count import count_cores
from pipeline.workspace.store import open_store
from tests.benchmarks.group_gaps import measure_gaps

UNSEEN = 3_000_000  # a seed that neither training nor an audit uses


def print_label_table(*, images: int, workers: int) -> None:
    """Print accuracy of the naive prompt and the ensemble, precision and recall of the ensemble."""
    encoder = load_encoder(EncoderConfig(model=f"local-dir:{find_encoder()}", precision="fp32"))
    crops, wholes = make_pictures(images=images, seed=UNSEEN, workers=workers)
    crops = sift_crops(crops)
    pictures = {"object": crops, "image": wholes}
    vectors = {kind: _encode(encoder, some) for kind, some in pictures.items()}
    print(f"{len(crops.pixels):,} people at least 40 pixels tall, in {images:,} unseen images\n")
    print("| attribute | naive | ensemble | value | n | precision | recall |")
    print("|---|---|---|---|---|---|---|")
    for prompts in read_prompts():
        kind = prompts.applies_to
        naive, ensemble = (
            measure_label_accuracy(
                vectors[kind], pictures[kind].truth, prompts, encode=encoder.encode_texts, naive=one
            )
            for one in (True, False)
        )
        for row, value in enumerate(ensemble.values):
            head = f"{prompts.name} | {naive.accuracy:.3f} | {ensemble.accuracy:.3f}"
            print(
                f"| {head if row == 0 else ' | | '} | {value} | {ensemble.n[row]:,} "
                f"| {ensemble.precision[row]:.3f} | {ensemble.recall[row]:.3f} |"
            )


Counts = tuple[int, int, int]


def print_seed(seed: int, *, images: int, workers: int, balanced: bool) -> tuple[Counts, Counts]:
    """Run one demo, print its lists, and return how many truths, found and false findings.

    Twice: the groups that training lacked as truths, and the findings of a search on true values.
    """
    with tempfile.TemporaryDirectory() as folder:
        audit = prepare_demo(
            Path(folder), images=images, seed=seed, workers=workers, balanced=balanced
        )
        run_demo_audit(audit)
        lacking, searched = compare_with_truth(audit), compare_with_search(audit)
        print(f"\nseed {seed}\n{write_comparison(lacking)}")
        heading = "Findings of the same search on true values:"
        print(write_comparison(searched, heading=heading), flush=True)
        if balanced:
            _print_gaps(audit)
    return _count(lacking), _count(searched)


def _count(comparison: Comparison) -> Counts:
    return len(comparison.true_findings), len(comparison.matched), len(comparison.false)


def _print_gaps(audit: Path) -> None:
    print(
        "\nmissed people of left-out groups (who are in no other), trained without and with them:"
    )
    store = open_store(read_audit(audit).workspace)
    gaps = []
    for system in (SYSTEM, BALANCED_SYSTEM):
        table = read_true_table(store, system)
        gaps.append(measure_gaps(table.attributes, table.errors.to_numpy(), LEFT_OUT))
    for lacking, balanced in zip(*gaps, strict=True):
        name = " and ".join(f"{attribute} = {value}" for attribute, value in lacking.group)
        halved = "halved" if balanced.size <= lacking.size / 2 else "NOT HALVED"
        print(
            f"  {name:36} n {lacking.n:4}  {lacking.error:.3f} - {lacking.others_error:.3f} = "
            f"{lacking.size:.3f}   {balanced.error:.3f} - {balanced.others_error:.3f} = "
            f"{balanced.size:+.3f}   {halved}"
        )


def _encode(encoder: Encoder, pictures: Pictures) -> npt.NDArray[np.float32]:
    parts = []
    for start in range(0, len(pictures.pixels), 256):
        batch = pictures.pixels[start : start + 256]
        parts.append(encoder.encode_images([Image.fromarray(pixels) for pixels in batch]))
    return np.concatenate(parts)


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--first", type=int)
    parser.add_argument("--labels", action="store_true")
    options = parser.parse_args(arguments)
    workers = count_cores()
    print_label_table(images=1000, workers=workers)
    if options.labels:
        return
    if options.first is None:
        seeds = [secrets.randbelow(UNSEEN) for _ in range(options.seeds)]
    else:
        seeds = list(range(options.first, options.first + options.seeds))
    results = [
        print_seed(seed, images=options.images, workers=workers, balanced=number == 0)
        for number, seed in enumerate(seeds)
    ]
    for what, counts in zip(
        ("training lacked", "true values give"), zip(*results, strict=True), strict=True
    ):
        truths, found, false = (sum(column) for column in zip(*counts, strict=True))
        print(
            f"\nover {options.seeds} seeds: {found} of {truths} that {what} found, "
            f"{false} false findings"
        )


if __name__ == "__main__":
    main()
