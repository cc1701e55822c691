"""Dot products of stored vectors with a query, at the speed of memory.

numba has no arithmetic on float16, so the arrays come as their bits. Where the processor converts
halves itself (F16C, ARMv8) that is one instruction; elsewhere the bits are moved to where float32
has them and scaled by 2**112, exact for every finite float16. Single-threaded; the interpreter
lock is released.
"""

import platform
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from pipeline.arrays import Array, Ints

Code = tuple[Any, Any]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


@intrinsic
def _widen(_context: Any, _half: Any) -> Code:  # noqa: ANN401 - numba is untyped
    """Convert the bits of a float16 by the processor."""

    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:  # noqa: ANN401 - as above
        return builder.fpext(builder.bitcast(args[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), generate


@intrinsic
def _read_bits(_context: Any, _bits: Any) -> Code:  # noqa: ANN401 - numba is untyped
    """Take 32 bits for a float32."""

    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:  # noqa: ANN401 - as above
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.uint32), generate


_as_float: Any = _read_bits  # what mypy takes for its signature is that of code generation


@numba.njit(inline="always")
def _widen_by_bits(half):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - inlined
    wide = np.uint32(half)
    sign = (wide & np.uint32(0x8000)) << np.uint32(16)
    rest = (wide & np.uint32(0x7FFF)) << np.uint32(13)
    return _as_float(np.uint32(sign | rest)) * np.float32(2.0**112)


def _converts_halves() -> bool:
    if platform.machine().lower() in {"arm64", "aarch64"}:
        return True
    return bool(binding.get_host_cpu_features().get("f16c", False))


_convert: Any = _widen if _converts_halves() else _widen_by_bits


def compile_scan(function: Kernel) -> Kernel:
    """Compile without the GIL, kept on disk where some cache folder can be written."""
    try:
        return cast(Kernel, numba.njit(nogil=True, fastmath=True, cache=True)(function))
    except RuntimeError:  # numba: no folder for its cache
        return cast(Kernel, numba.njit(nogil=True, fastmath=True)(function))


@compile_scan
def score_block(bits: Array, query: Array, out: Array) -> None:
    """Write (n,) dot products of (n, d) float16 bits with a (d,) float32 query into `out`."""
    n, d = bits.shape
    for row in range(n):
        total = np.float32(0.0)
        for j in range(d):
            total += _convert(bits[row, j]) * query[j]
        out[row] = total


@compile_scan
def score_listed(bits: Array, rows: Ints, query: Array, out: Array) -> None:
    """Write the dot products of the listed rows alone into `out`, (len(rows),) float32.

    Four rows at a time: the processor waits for their memory together.
    """
    d = bits.shape[1]
    n = len(rows)
    whole = n - n % 4
    for place in range(0, whole, 4):
        a, b, c, e = rows[place], rows[place + 1], rows[place + 2], rows[place + 3]
        first, second = np.float32(0.0), np.float32(0.0)
        third, fourth = np.float32(0.0), np.float32(0.0)
        for j in range(d):
            part = query[j]
            first += _convert(bits[a, j]) * part
            second += _convert(bits[b, j]) * part
            third += _convert(bits[c, j]) * part
            fourth += _convert(bits[e, j]) * part
        out[place], out[place + 1], out[place + 2], out[place + 3] = first, second, third, fourth
    for place in range(whole, n):
        row = rows[place]
        total = np.float32(0.0)
        for j in range(d):
            total += _convert(bits[row, j]) * query[j]
        out[place] = total


@compile_scan
def score_codes(codes: Array, scales: Array, query: Array, step: float, out: Array) -> None:
    """Write `step * scales * (codes @ query)` into `out`: (n, d) int8 with a (d,) int16 query.

    The sums are of whole numbers, exact: |code| <= 127 and |query| <= 2**11 leave d up to 8,000.
    """
    n, d = codes.shape
    for row in range(n):
        total = np.int32(0)
        for j in range(d):
            total += np.int32(codes[row, j]) * np.int32(query[j])
        out[row] = np.float32(np.float64(total) * scales[row] * step)
