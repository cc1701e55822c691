"""The garbage collector runs again after a pause, if it ran before."""

import gc

import pytest

from pipeline.files.gc_pause import pause_gc


def test_it_is_off_inside_and_on_after_also_when_the_block_fails() -> None:
    assert gc.isenabled()
    with pause_gc():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(RuntimeError), pause_gc():
        raise RuntimeError
    assert gc.isenabled()


def test_a_pause_inside_a_pause_does_not_end_it() -> None:
    with pause_gc():
        with pause_gc():
            pass
        assert not gc.isenabled()
