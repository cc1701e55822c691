"""Which sample a row of a user's file names: by sample_id, path, file name or annotation id."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import polars as pl


class SampleIndex:
    """The samples of a dataset by their names; of an attribute only those that carry its label."""

    def __init__(self, samples: pl.DataFrame, labels: pl.DataFrame) -> None:
        """samples: SAMPLES. labels: LABELS, one of each sample and attribute."""
        self._by_path: dict[str, list[str]] = defaultdict(list)
        self._by_annotation: dict[tuple[str, str], str] = {}
        self._by_bare_annotation: dict[str, list[str]] = defaultdict(list)
        images: dict[str, set[str]] = defaultdict(set)
        self._ids = set(samples["sample_id"])
        for name, path, annotation in samples.select(
            "sample_id", "path", "annotation_id"
        ).iter_rows():
            self._by_path[path].append(name)
            images[PurePosixPath(path).name].add(path)
            if annotation is not None:
                self._by_annotation[path, annotation] = name
                self._by_bare_annotation[annotation].append(name)
        self._paths = {file: next(iter(all_)) for file, all_ in images.items() if len(all_) == 1}
        self._labels: dict[str, dict[str, str]] = defaultdict(dict)
        for attribute, name, value in labels.select("attribute", "sample_id", "value").iter_rows():
            self._labels[attribute][name] = value

    def find_label(self, attribute: str, sample_id: str) -> str | None:
        """Return the label of a sample."""
        return self._labels[attribute].get(sample_id)

    def find_sample(self, row: Mapping[str, str | None], attribute: str) -> tuple[str, str]:
        """Return the sample_id that a row names, and "", or "" and what is wrong, in words.

        row: cells sample_id, path, annotation_id, those that the file has.
        """
        carrying = self._labels[attribute]
        sample_id, path = row.get("sample_id"), row.get("path")
        annotation = row.get("annotation_id")
        if sample_id is not None:
            found, name = [sample_id] if sample_id in self._ids else [], f"sample_id {sample_id!r}"
        elif path is not None:
            found, name = self._find_by_path(path, annotation, carrying)
        elif annotation is not None:
            found = self._by_bare_annotation.get(annotation, [])
            name = f"annotation_id {annotation!r}"
        else:
            return "", "no sample_id, path or annotation_id"
        if not found:
            return "", f"{name} is no sample of this dataset"
        able = [one for one in found if one in carrying]
        if not able:
            return "", f"{name} has no label of {attribute!r}"
        if len(able) > 1:
            return "", f"{name} is {len(able)} samples; name one by annotation_id or sample_id"
        return able[0], ""

    def _find_by_path(
        self, path: str, annotation: str | None, carrying: Iterable[str]
    ) -> tuple[list[str], str]:
        """Return the samples of an image, or the one object; the image where that is labelled."""
        known = _clean(path)
        known = known if known in self._by_path else self._paths.get(known, known)
        if annotation is None:
            return self._by_path.get(known, []), f"path {path!r}"
        one = self._by_annotation.get((known, annotation))
        images = [name for name in self._by_path.get(known, []) if name in carrying]
        found = [one] if one is not None else []
        if one is not None and one not in carrying:  # an attribute of the whole image
            found = images
        return found, f"path {path!r} with annotation_id {annotation!r}"


def _clean(path: str) -> str:
    cleaned = path.replace("\\", "/")
    while cleaned.startswith("./"):
        cleaned = cleaned[2:]
    return cleaned
