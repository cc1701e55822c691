"""What `weakspot clusters` prints: tables for a person."""

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.clusters.purity import Agreement

if TYPE_CHECKING:
    from flows.stages.space.clusters import Clustered, Swept

_SHOWN = 30  # clusters that are printed


def print_clustered(clustered: "Clustered", console: Console) -> None:
    """Print how the samples were clustered, and the clusters with their sizes."""
    from flows.stages.space.clusters import describe_settings

    found = clustered.agreement
    console.print(
        f"{found.clusters:,} clusters of {clustered.samples:,} samples by "
        f"{describe_settings(clustered.settings)}; {found.clustered:.1%} of the samples are in one",
        markup=False,
        soft_wrap=True,
    )
    if clustered.missing:
        console.print(f"{clustered.missing:,} samples have no vector", markup=False)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("cluster")
    table.add_column("n", justify="right")
    for row in clustered.sizes.head(_SHOWN).to_dicts():
        table.add_row(Text(row["value"]), f"{row['n']:,}")
    console.print(table)
    if clustered.sizes.height > _SHOWN:
        console.print(f"... and {clustered.sizes.height - _SHOWN:,} smaller ones")
    if clustered.against is not None:
        purity, above, information = list_agreement(found)
        console.print(
            f"against {clustered.against}: purity {purity}, above the majority rate {above}, "
            f"adjusted mutual information {information}",
            markup=False,
            soft_wrap=True,
        )


def print_sweep(swept: "Swept", console: Console) -> None:
    """Print a row a setting."""
    against = "" if swept.against is None else f", against {swept.against}"
    title = f"DBSCAN of {swept.samples:,} samples{against}; eps is a cosine distance"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    names = ["eps", "min points", "clusters", "clustered", "largest"]
    if swept.against is not None:
        names += ["purity", "above majority", "AMI"]
    for name in names:
        table.add_column(name, justify="right")
    for one in swept.settings:
        found = one.agreement
        cells = [f"{one.eps:g}", f"{one.min_points}", f"{found.clusters:,}"]
        cells += [f"{found.clustered:.1%}", f"{found.largest:,}"]
        table.add_row(*cells, *(list_agreement(found) if swept.against is not None else ()))
    console.print(table)
    if swept.majority is not None:
        console.print(
            f"the most frequent value of {swept.against} has {swept.majority:.1%} of all samples. "
            "Purity is 1 where every cluster is one sample; AMI (adjusted mutual information) is "
            "0 where clusters say no more than chance.",
            markup=False,
            soft_wrap=True,
        )


def list_agreement(found: Agreement) -> tuple[str, str, str]:
    """Write purity, purity above the majority rate and adjusted mutual information."""
    numbers = (found.purity, found.above_majority, found.mutual_information)
    purity, above, information = ("-" if one is None else f"{one:.3f}" for one in numbers)
    return purity, above if above == "-" else f"{found.above_majority:+.3f}", information
