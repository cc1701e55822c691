"""Which labels of a workspace serve a search: as labelled, or true values where they are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.dataset import Truth
from pipeline.vocabulary import MODELLED
from pipeline.workspace.manifests import LabelManifest


@dataclass(frozen=True)
class LabelColumn:
    """One attribute of the search: its labels, and whether the holding image carries them.

    values: in the order of its file or bins; none where the data alone knows them.
    """

    attribute: str
    label_id: str
    of_image: bool = False
    values: tuple[str, ...] = ()


def list_columns(manifest: LabelManifest, *, of_objects: bool) -> dict[str, LabelColumn]:
    """Return the labels that were made of each attribute, by its name.

    of_objects: whether the samples are objects, whose images carry some of the labels.
    """
    return {
        one.name: LabelColumn(
            one.name, one.label_id, of_objects and one.applies_to == "image", one.values
        )
        for one in manifest.attributes
    }


def list_true_columns(manifest: LabelManifest) -> dict[str, LabelColumn]:
    """Return the true values of each attribute that has some, by its name."""
    values = {one.name: one.values for one in manifest.attributes}
    return {
        name: LabelColumn(name, label_id, values=values.get(name, ()))
        for name, label_id in manifest.truth.items()
    }


def choose_columns(
    manifest: LabelManifest, *, label_source: str, of_objects: bool
) -> tuple[list[LabelColumn], tuple[str, ...]]:
    """Return the labels to search, and the attributes that cannot be.

    label_source: predicted or truth, as [slices] labels. With "truth" these are all true values,
    and measured and given attributes beside them; attributes known by prompts alone are left out.
    """
    columns = list_columns(manifest, of_objects=of_objects)
    if label_source == "predicted":
        return list(columns.values()), ()
    truth = list_true_columns(manifest)
    prompted = {one.name for one in manifest.attributes if one.source in MODELLED}
    kept = {name: column for name, column in columns.items() if name not in prompted}
    return list({**kept, **truth}.values()), tuple(sorted(prompted - set(truth)))


def order_values(
    manifest: LabelManifest, names: Sequence[str], *, label_source: str, truth: Truth | None
) -> dict[str, list[str]]:
    """Return the values of each attribute as its file, bins or truth order them.

    truth: [dataset.truth]. None of an attribute whose values the data alone knows.
    """
    order = {one.name: list(one.values) for one in manifest.attributes}
    if label_source == "truth" and truth is not None:
        order |= {name: list(values) for name, values in truth.attributes.items()}
    return {name: order.get(name, []) for name in names}
