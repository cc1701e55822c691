"""A made-up map: points in six groups, one of which the system fails in."""

import hashlib
import io

import numpy as np
import polars as pl
from PIL import Image

from pipeline.maps.density import map_density
from pipeline.maps.density_image import encode_webp, paint_density
from pipeline.maps.name_regions import describe_regions, find_regions
from pipeline.maps.outlines import outline_samples
from pipeline.maps.point_columns import encode_errors, encode_values, pack_ids, pack_places
from reports.map_models import FindingOutline, MapColumn, MapPage, MapReport

SIDE, PICTURED = 40, 96


def make_map_page(n: int = 3000, *, name: str = "finder", value: str = "yes") -> MapPage:
    """Return a page of n points. name: of the audit; value: of an attribute."""
    rng = np.random.default_rng(5)
    group = rng.integers(0, 6, n)
    middles = np.array([[0.2, 0.2], [0.5, 0.2], [0.8, 0.2], [0.2, 0.7], [0.5, 0.7], [0.8, 0.7]])
    places = np.clip(middles[group] + rng.normal(0, 0.04, (n, 2)), 0, 1)
    errors = (rng.random(n) < np.where(group == 4, 0.5, 0.05)).astype(np.float64)
    hat = pl.Series("hat", np.where(group == 4, value, "no"))
    weather = pl.Series("weather", np.array(["sun", "rain", "fog"])[rng.integers(0, 3, n)])
    digests = (hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(n))
    ids, digits = pack_ids(pl.Series(sorted(digests)))
    inside = group == 4
    finding = FindingOutline(
        rank=1,
        predicates=[{"attribute": "hat", "value": value}],
        n=int(inside.sum()),
        error=float(errors[inside].mean()),
        rest_error=float(errors[~inside].mean()),
        lines=outline_samples(places[inside]),
    )
    report = MapReport(
        system=name,
        metric="miss",
        share=True,
        overall_error=float(errors.mean()),
        method="t-SNE of the embeddings",
        samples=n,
        image=encode_webp(paint_density(map_density(places, errors))),
        regions=describe_regions(
            places, find_regions(places), errors, pl.DataFrame([hat, weather])
        ),
        outlines=(finding,),
    )
    columns = [MapColumn(name, "error", encode_errors(errors)[0].tobytes(), unit="error")]
    for values in (hat, weather):
        codes, listed = encode_values(values)
        columns.append(MapColumn(values.name, "attribute", codes.tobytes(), values=listed))
    worst = tuple(int(one) for one in np.flatnonzero(errors)[:PICTURED])
    return MapPage(
        name=name,
        kind="image",
        shown=n,
        places=pack_places(places),
        ids=ids,
        digits=digits,
        columns=tuple(columns),
        reports=(report,),
        members={f"{name} 1": np.packbits(inside, bitorder="little").tobytes()},
        sprite=draw_sprite(len(worst)),
        side=SIDE,
        pictured=worst,
    )


def draw_sprite(count: int) -> bytes:
    """Return thumbnails in rows of 32, as WebP."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (-(-count // 32) * SIDE, 32 * SIDE, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=20)
    return buffer.getvalue()
