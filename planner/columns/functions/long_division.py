"""Division of whole numbers with many digits after the point, in steps that fit 64 bits.

As with a pen: some digits of the quotient, then some more of what is left. Each step guesses by
binary fractions, never too much, and is put right by one, so it is exact.
"""

from __future__ import annotations

import polars as pl

_EXACT = 2**48  # a guess below it is at most one too small
_LESS = 1 - 2.0**-50  # makes a guess that rounding could not raise too far
_ROOM = 2**62  # numbers of a step are below it
_AS_IT_IS = pl.QueryOptFlags.none()
_WORTH = 4  # digits that a step must give: with fewer, 128 bits are as quick


def fits(size: int, divisor: int) -> bool:
    """Whether numbers up to `size` can be divided so by numbers up to `divisor`.

    >>> fits(10**9, 10**7), fits(10**17, 10**7)
    (True, False)
    """
    return size < _EXACT and divisor * 10**_WORTH < _ROOM


def _digits(size: int, below: int) -> int:
    """How many digits can be added to numbers up to `size`."""
    return len(str((below - 1) // max(size, 1))) - 1


def quotient(x: pl.Series, y: pl.Series, places: int, sizes: tuple[int, int]) -> pl.Series:
    """x · 10^places / y in 128 bits, ties away from zero; NULL where one of them is.

    `sizes` are the largest values, for which `fits` holds; no y is 0, and x · 10^places has at most
    38 digits.
    """
    first = min(places, _digits(sizes[0], _EXACT))
    step = min(_digits(sizes[1], _ROOM), _digits(1, _EXACT))
    frame = _signed(pl.LazyFrame({"x": x.cast(pl.Int64), "y": y.cast(pl.Int64)}))
    frame, left = _step(frame, "q0", first), places - first
    units = [10**left]
    while left:
        digits = min(left, step)
        left -= digits
        frame = _step(frame, f"q{len(units)}", digits)
        units.append(10**left)
    up = (pl.col("r") * 2 >= pl.col("y")).cast(pl.Int64)
    parts = [pl.col(f"q{number}") for number in range(len(units))]
    parts[-1] = parts[-1] + up
    wide = [(part * pl.col("sign")).cast(pl.Int128) for part in parts]
    total = wide[-1]
    for part, unit in zip(wide, units[:-1], strict=False):
        total = total + part * pl.lit(unit, dtype=pl.Int128)
    return frame.select(total.alias("n")).collect(optimizations=_AS_IT_IS).to_series()


def _signed(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The sign of the quotient, what is to be divided (r) and by what (y), both positive."""
    x, y = pl.col("x"), pl.col("y")
    sign = 1 - 2 * ((x < 0) != (y < 0)).cast(pl.Int64)
    return frame.select(
        sign.alias("sign"), x.abs().alias("r"), y.abs(), y.abs().cast(pl.Float64).alias("real")
    )


def _step(frame: pl.LazyFrame, name: str, digits: int) -> pl.LazyFrame:
    """The quotient of r · 10^digits by y as a column; r becomes what is left."""
    q, r, y = pl.col(name), pl.col("r"), pl.col("y")
    if digits:
        frame = frame.with_columns(r * 10**digits)
    guess = (r.cast(pl.Float64) * _LESS / pl.col("real")).cast(pl.Int64)
    frame = frame.with_columns(guess.alias(name)).with_columns(r - q * y)
    frame = frame.with_columns((r >= y).cast(pl.Int64).alias("more"))
    return frame.with_columns(q + pl.col("more"), r - pl.col("more") * y)
