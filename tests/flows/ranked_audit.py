"""A small labelled audit with columns: brightness in four classes, splits, copies of images."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from tests.flows.direct import run_directly
from tests.flows.small_audit import SmallAudit, write_audit

COUNT = 48
QUARTERS = ("darkest", "dark", "light", "lightest")


def write_ranked(folder: Path) -> SmallAudit:
    """Write and embed 48 images, an equal copy of the first in val, a near copy of the second."""
    audit = write_audit(folder, count=COUNT)
    shutil.copy(audit.images / "0000.png", audit.images / "copy.png")
    pixels = np.asarray(Image.open(audit.images / "0001.png")).copy()
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(audit.images / "near.png")
    names = [f"{number:04}.png" for number in range(COUNT)]
    rows = ["path,quarter,part,hardness,one"]
    rows += [
        f"{name},{QUARTERS[i % 4]},train,{'hard' if i % 3 == 0 else ''},same"
        for i, name in enumerate(names)
    ]
    rows += ["copy.png,darkest,val,junk,same", "near.png,,val,easy,same"]
    (folder / "columns.csv").write_text("\n".join(rows) + "\n")
    audit.edit('images = "images"\n', 'images = "images"\ncolumns = "columns.csv"\n')
    run_directly(audit.config, ["embed", "label"])
    return audit
