"""The int8 codes of a scan, kept beside it: made once, and gone with it when vectors are added."""

from pathlib import Path

import numpy as np

from pipeline.arrays import Array
from pipeline.files.whole_files import replace_file
from pipeline.retrieval.int8_codes import Codes, make_codes
from pipeline.workspace.scans.scan_store import Scan

_FILES = ("codes.i8.npy", "codes.scales.npy", "codes.losses.npy")


def open_codes(scan: Scan) -> Codes:
    """Return the codes of a scan, mapped; made first where they are missing or not whole.

    Where they cannot be written, or the scan is in memory alone, they are in memory too.
    """
    if not isinstance(scan.vectors, np.memmap):
        return make_codes(scan.vectors)
    folder = Path(str(scan.vectors.filename)).parent
    known = _map(folder, scan)
    if known is not None:
        return known
    made = make_codes(scan.vectors)
    try:
        arrays: tuple[Array, ...] = (made.values, made.scales, made.losses)
        for name, array in zip(_FILES, arrays, strict=True):
            with replace_file(folder / name) as unfinished, unfinished.open("wb") as file:
                np.save(file, array)
    except OSError:
        return made
    return _map(folder, scan) or made


def _map(folder: Path, scan: Scan) -> Codes | None:
    try:
        values, scales, losses = (np.load(folder / name, mmap_mode="r") for name in _FILES)
    except (OSError, ValueError):
        return None
    n = len(scan.keys)
    if values.shape != scan.vectors.shape or scales.shape != (n,) or losses.shape != (n,):
        return None
    return Codes(values, scales, losses)
