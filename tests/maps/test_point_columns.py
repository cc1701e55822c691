"""Points as bytes: what is shown, ids, places and values come back as they were."""

import hashlib

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.maps.point_columns import (
    OTHER,
    UNKNOWN_CODE,
    choose_shown,
    encode_errors,
    encode_values,
    pack_ids,
    pack_places,
)
from tests.maps.worlds import name_keys


def make_ids(n: int) -> pl.Series:
    return pl.Series(
        [hashlib.sha256(str(i).encode()).hexdigest()[:16] for i in range(n)], dtype=pl.String
    ).sort()


def unpack_ids(packed: bytes, digits: int) -> list[str]:
    found, before, gap, shift = [], 0, 0, 0
    for byte in packed:
        gap |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            before += gap
            found.append(f"{before:0{digits}x}")
            gap = shift = 0
    return found


@given(st.integers(0, 300))
def test_ids_come_back(n: int) -> None:
    ids = make_ids(n)
    packed, digits = pack_ids(ids)
    assert unpack_ids(packed, digits) == ids.to_list()


def test_many_ids_are_shortened_to_what_tells_them_apart() -> None:
    ids = make_ids(30_000)
    packed, digits = pack_ids(ids)
    assert unpack_ids(packed, digits) == ids.str.head(digits).to_list()
    assert ids.str.head(digits).n_unique() == 30_000 > ids.str.head(digits - 1).n_unique()
    assert len(packed) < 4 * 30_000


def test_thinning_keeps_errors_and_empties_no_place() -> None:
    rng = np.random.default_rng(0)
    places = rng.random((20_000, 2)) ** 2
    kept = rng.random(20_000) < 0.02
    shown = choose_shown(places, name_keys(20_000), kept, most=5000)
    assert 4500 < len(shown) < 5500
    assert set(np.flatnonzero(kept)) <= set(shown)
    before, after = (set(map(tuple, (some * 15).astype(int))) for some in (places, places[shown]))
    assert before == after


def test_few_points_are_all_shown() -> None:
    assert len(choose_shown(np.zeros((5, 2)), name_keys(5), np.zeros(5, bool), most=5)) == 5


def test_places_are_pairs_of_sixteen_bits() -> None:
    packed = np.frombuffer(pack_places(np.array([[0.0, 1.0], [0.5, 2.0]])), dtype="<u2")
    assert packed.tolist() == [0, 65535, 32768, 65535]


def test_errors_are_codes_and_no_error_is_no_zero() -> None:
    codes, highest = encode_errors(np.array([0.0, 1.0, np.nan, 0.001]))
    assert codes.tolist() == [0, 254, UNKNOWN_CODE, 1]
    assert highest == 1.0
    codes, highest = encode_errors(np.array([0.0, 3.0, 12.0]))
    assert codes[2] == 254
    assert 3 < highest <= 12


def test_values_keep_their_order_and_rare_ones_are_other() -> None:
    codes, listed = encode_values(pl.Series(["b", "a", "c", "c"]), ("a", "b", "c", "d"))
    assert listed == ("a", "b", "c")
    assert codes.tolist() == [1, 0, 2, 2]
    many = pl.Series([str(i) for i in range(100)] + ["0"] * 5)
    codes, listed = encode_values(many)
    assert listed[0] == "0"
    assert listed[-1] == OTHER
    assert len(listed) == 41
    assert (codes == 40).sum() == 60
