"""Arithmetic of decimals: exact, rounded half up, on the whole numbers that they are stored as.

Where 38 digits are enough whatever the values are, it is arithmetic of 128-bit columns. Else a
batch is looked at: if its largest values fit it is the same, and only if not it goes number by
number in Python's own integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.casts.failing import sound
from planner.columns.casts.numbers import half_up, int128, scaled, unscaled
from planner.columns.functions import long_division
from planner.columns.functions.elements import evened
from planner.columns.functions.raising import marked

_LIMIT = 10**38
Whole = Callable[[int, int], int]
Short = Callable[[pl.Series, pl.Series, tuple[int, int]], pl.Series | None]


def _size(values: pl.Series) -> int:
    """The largest absolute value."""
    low, high = values.min(), values.max()
    assert isinstance(low, int | None) and isinstance(high, int | None)
    return max(abs(low or 0), abs(high or 0))


def _wide(value: pl.Expr, more: int) -> pl.Expr:
    whole = unscaled(value)
    if more and whole.meta.is_literal():
        number = pl.select(whole).item()
        return int128(number * 10**more) if number is not None else whole
    return whole * int128(10**more) if more else whole


def rounded(value: int, unit: int) -> int:
    """value / unit, ties away from zero."""
    found = (
        (abs(value) + abs(unit) // 2) // abs(unit)
        if unit % 2 == 0
        else ((2 * abs(value) + abs(unit)) // (2 * abs(unit)))
    )
    return found if (value < 0) == (unit < 0) else -found


def truncated(value: int, unit: int) -> int:
    """value / unit towards zero."""
    found = abs(value) // abs(unit)
    return found if (value < 0) == (unit < 0) else -found


def _quotient(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """a / b of whole numbers, ties away from zero."""
    cut = a.truncdiv(b)
    rest = a - cut * b
    away = pl.when((a < 0) == (b < 0)).then(int128(1)).otherwise(int128(-1))
    up = (rest.abs() * int128(2)) >= b.abs()
    return pl.when(up).then(cut + away).otherwise(cut)


def _by_batch(
    a: pl.Expr,
    b: pl.Expr,
    fits: Callable[[int, int], bool],
    columns: Callable[[pl.Expr, pl.Expr], pl.Expr],
    one: Whole,
    kind: t.DecimalType,
    error: tuple[str, str] | None,
    short: Short | None = None,
) -> pl.Expr:
    """`columns` of two whole-number columns where the largest values fit, else `one` by one; or
    what `short` has for small values. Where there are more digits than in `kind` it is the error,
    or NULL without one."""
    top = 10**kind.precision

    def run(given: Sequence[pl.Series]) -> pl.Series:
        x, y = evened(given)
        if x.null_count() == len(x):
            return x.cast(pl.Int128)
        size_x, size_y = _size(x), _size(y)
        if fits(size_x, size_y):
            quick = None if short is None else short(x, y, (size_x, size_y))
            frame = pl.DataFrame({"x": x, "y": y} if quick is None else {"n": quick})
            whole = columns(pl.col("x"), pl.col("y")) if quick is None else pl.col("n")
            all_fit = top >= _LIMIT or (quick is not None and _size(quick) < top)
            limit = whole if all_fit else pl.when(whole.abs() < int128(top)).then(whole)
            found = frame.select(limit.alias("n")).to_series()
        else:
            found = pl.Series([each(p, q) for p, q in zip(x, y, strict=True)], dtype=pl.Int128)
        if error is not None and found.null_count() > (x.is_null() | y.is_null()).sum():
            raise pl.exceptions.ComputeError(marked(*error))
        return found

    def each(p: int | None, q: int | None) -> int | None:
        n = None if p is None or q is None else one(p, q)
        return n if n is not None and abs(n) < top else None

    return pl.map_batches([a, b], run, return_dtype=pl.Int128(), is_elementwise=True)


def _loud(kind: t.DecimalType, mode: str) -> tuple[str, str] | None:
    return too_many(kind) if mode == "ansi" else None


def too_many(kind: t.DecimalType) -> tuple[str, str]:
    """The error of a result with too many digits."""
    return (
        "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
        f"a result has too many digits for {kind.simpleString()}; use the try_ functions for NULL",
    )


def add(
    a: pl.Expr,
    b: pl.Expr,
    types: tuple[t.DecimalType, t.DecimalType],
    kind: t.DecimalType,
    mode: str,
    sign: int,
) -> pl.Expr:
    """a + b or, with sign -1, a - b."""
    one, other = types
    scale = max(one.scale, other.scale)
    whole = max(one.precision - one.scale, other.precision - other.scale) + 1
    lift_a, lift_b = scale - one.scale, scale - other.scale
    if whole + scale <= 38:
        x, y = _wide(a, lift_a), _wide(b, lift_b)
        return scaled(x + y if sign > 0 else x - y, kind)
    drop = scale - kind.scale
    up_a, up_b = 10**lift_a, 10**lift_b

    def columns(x: pl.Expr, y: pl.Expr) -> pl.Expr:
        x, y = x * int128(up_a), y * int128(up_b)
        return half_up(x + y if sign > 0 else x - y, drop)

    found = _by_batch(
        unscaled(a),
        unscaled(b),
        lambda p, q: p * up_a + q * up_b < _LIMIT,
        columns,
        lambda p, q: rounded(p * up_a + sign * q * up_b, 10**drop),
        kind,
        _loud(kind, mode),
    )
    return scaled(found, kind)


def multiply(
    a: pl.Expr,
    b: pl.Expr,
    types: tuple[t.DecimalType, t.DecimalType],
    kind: t.DecimalType,
    mode: str,
) -> pl.Expr:
    """a * b."""
    one, other = types
    drop = one.scale + other.scale - kind.scale
    if one.precision + other.precision <= 38 and not drop:
        return scaled(unscaled(a) * unscaled(b), kind)
    x, y = unscaled(a), unscaled(b)
    longer, digits = (y, one.precision) if other.precision > one.precision else (x, other.precision)
    exact = _by_batch(
        x,
        y,
        lambda p, q: p * q < _LIMIT,
        lambda x, y: half_up(x * y, drop),
        lambda p, q: rounded(p * q, 10**drop),
        kind,
        _loud(kind, mode),
    )
    rare = longer.abs() >= int128(10 ** (38 - digits))  # no other product has too many digits
    return scaled(pl.when(rare).then(exact).otherwise(half_up(x * y, drop)), kind)


def divide(
    a: pl.Expr,
    b: pl.Expr,
    types: tuple[t.DecimalType, t.DecimalType],
    kind: t.DecimalType,
    mode: str,
) -> pl.Expr:
    """a / b; `b` is NULL where it was 0."""
    one, other = types
    lift = kind.scale - one.scale + other.scale
    up, down = 10 ** max(lift, 0), 10 ** max(-lift, 0)

    def short(x: pl.Series, y: pl.Series, sizes: tuple[int, int]) -> pl.Series | None:
        can = lift >= 0 and long_division.fits(*sizes)
        return long_division.quotient(x, y, lift, sizes) if can else None

    found = _by_batch(
        unscaled(a),
        unscaled(b),
        lambda p, q: p * up < _LIMIT and q * down < _LIMIT,
        lambda x, y: _quotient(x * int128(up), y * int128(down)),
        lambda p, q: rounded(p * up, q * down),
        kind,
        _loud(kind, mode),
        short,
    )
    return scaled(found, kind)


def _aligned(types: tuple[t.DecimalType, t.DecimalType]) -> tuple[int, int, int]:
    scale = max(types[0].scale, types[1].scale)
    return 10 ** (scale - types[0].scale), 10 ** (scale - types[1].scale), scale


def remainder(
    a: pl.Expr,
    b: pl.Expr,
    types: tuple[t.DecimalType, t.DecimalType],
    kind: t.DecimalType,
    mode: str,
    positive: bool = False,
) -> pl.Expr:
    """What a / b leaves, with the sign of a; or with `positive` that of pmod."""
    up_a, up_b, scale = _aligned(types)
    drop = scale - kind.scale

    def columns(x: pl.Expr, y: pl.Expr) -> pl.Expr:
        x, y = x * int128(up_a), y * int128(up_b)
        rest = x - x.truncdiv(y) * y
        if positive:
            again = rest + y
            again = again - again.truncdiv(y) * y
            rest = pl.when(rest < 0).then(again).otherwise(rest)
        return half_up(rest, drop)

    def one(p: int, q: int) -> int:
        p, q = p * up_a, q * up_b
        rest = p - truncated(p, q) * q
        if positive and rest < 0:
            rest += q
            rest -= truncated(rest, q) * q
        return rounded(rest, 10**drop)

    found = _by_batch(
        unscaled(a),
        unscaled(b),
        lambda p, q: p * up_a + q * up_b < _LIMIT,
        columns,
        one,
        kind,
        _loud(kind, mode),
    )
    return scaled(found, kind)


def whole_quotient(
    a: pl.Expr, b: pl.Expr, types: tuple[t.DecimalType, t.DecimalType], mode: str
) -> pl.Expr:
    """a / b towards zero, as a whole number of 64 bits."""
    up_a, up_b, _ = _aligned(types)
    message = "bigint overflow in div; use the try_ functions for NULL"
    found = _by_batch(
        unscaled(a),
        unscaled(b),
        lambda p, q: p * up_a < _LIMIT and q * up_b < _LIMIT,
        lambda x, y: (x * int128(up_a)).truncdiv(y * int128(up_b)),
        lambda p, q: truncated(p * up_a, q * up_b),
        t.DecimalType(38, 0),
        ("ARITHMETIC_OVERFLOW", message) if mode == "ansi" else None,
    )
    return found.cast(pl.Int64, wrap_numerical=True)  # as Spark does, without a check


def of_34_digits(value: pl.Expr, kind: t.DecimalType) -> pl.Expr:
    """A whole number as a decimal, with the 34 digits that Spark leaves of longer ones here."""
    if kind.precision <= 34:
        return scaled(value, kind)
    found = value
    for digits in range(35, kind.precision + 1):
        unit = int128(10 ** (digits - 34))
        cut = value.truncdiv(unit)
        rest = (value - cut * unit).abs() * int128(2)
        odd = (cut - cut.truncdiv(int128(2)) * int128(2)) != 0
        up = (rest > unit) | ((rest == unit) & odd)
        away = pl.when(value < 0).then(int128(-1)).otherwise(int128(1))
        short = (cut + pl.when(up).then(away).otherwise(int128(0))) * unit
        found = pl.when(value.abs() >= int128(10 ** (digits - 1))).then(short).otherwise(found)
    bad = found.abs() >= int128(10**kind.precision)
    code = "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION"
    return sound(scaled(found, kind), bad, "ansi", code, too_many(kind)[1])
