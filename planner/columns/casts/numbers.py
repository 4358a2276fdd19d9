"""Casts between numbers: width, truncation, rounding and bounds."""

from __future__ import annotations

import polars as pl

from planner.columns import types as t
from planner.columns.casts.failing import sound
from planner.columns.columnar import to_polars

_ADVICE = "use try_cast to have NULL instead"


def int128(value: int) -> pl.Expr:
    """A constant of 128 bits."""
    return pl.lit(value, dtype=pl.Int128)


def unscaled(value: pl.Expr) -> pl.Expr:
    """The whole number that a decimal is stored as; a constant is one at once, since Polars would
    make a column of it."""
    whole = value.to_physical()
    return pl.lit(pl.select(whole).item(), dtype=pl.Int128) if value.meta.is_literal() else whole


def scaled(value: pl.Expr, kind: t.DecimalType) -> pl.Expr:
    """The opposite of `unscaled`: no digit changes."""
    return value.reinterpret(dtype=to_polars(kind))


def true_quotient(a: pl.Expr, b: pl.Expr | float) -> pl.Expr:
    """a / b of binary fractions. By a constant Polars would multiply by the inverse, which is a
    digit off; this makes a column of it."""
    return a / (a.is_not_null().cast(pl.Float64) * b)


def half_up(value: pl.Expr, places: int) -> pl.Expr:
    """A whole number of 128 bits without its last digits, ties away from zero."""
    if places <= 0:
        return value
    if places > 38:
        return value * int128(0)
    half = int128(5 * 10 ** (places - 1))
    moved = pl.when(value < 0).then(value - half).otherwise(value + half)
    return moved.truncdiv(int128(10**places))


def too_long(value: pl.Expr, digits: int) -> pl.Expr | None:
    """Whether a whole number has more digits; None if it cannot."""
    if digits >= 38:
        return value.abs() >= int128(10**38) if digits == 38 else None
    return value.abs() >= int128(10**digits)


def to_number(value: pl.Expr, old: t.DataType, new: t.DataType, mode: str) -> pl.Expr:
    """A number or boolean as another kind of number or as a boolean."""
    if isinstance(new, t.BooleanType):
        return value != 0
    if isinstance(old, t.BooleanType):
        return to_number(value.cast(pl.Int8), t.BYTE, new, mode)
    if isinstance(new, t.DecimalType):
        if isinstance(old, t.DecimalType):
            return between_decimals(value, old, new, mode)
        return _whole_to_decimal(value, old, new, mode)
    if isinstance(new, t.IntegralType):
        if isinstance(old, t.IntegralType):
            return _narrowed(value, old, new, mode)
        if isinstance(old, t.DecimalType):
            return _decimal_to_whole(value, old, new, mode)
        return _real_to_whole(value, new, mode)
    return value.cast(to_polars(new))  # to a binary fraction there is always a way


def _overflow(new: t.DataType) -> str:
    return f"a value does not fit into {new.simpleString()}; {_ADVICE}"


def _narrowed(value: pl.Expr, old: t.IntegralType, new: t.IntegralType, mode: str) -> pl.Expr:
    if new.bits >= old.bits:
        return value.cast(to_polars(new))
    if mode == "legacy":
        return value.cast(to_polars(new), wrap_numerical=True)
    found = value.cast(to_polars(new), strict=False)
    bad = found.is_null() & value.is_not_null()
    return sound(found, bad, mode, "CAST_OVERFLOW", _overflow(new))


def _real_to_whole(value: pl.Expr, new: t.IntegralType, mode: str) -> pl.Expr:
    kind = to_polars(new)
    wide = value.cast(pl.Float64)
    if mode == "legacy":
        # As Java does: no number is 0, what is too large is the largest; then bits are cut off.
        bits = max(new.bits, 32)
        first = pl.Int64() if bits == 64 else pl.Int32()
        top, low = 2 ** (bits - 1) - 1, -(2 ** (bits - 1))
        found = (
            pl.when(wide.is_nan())
            .then(pl.lit(0, dtype=first))
            .when(wide >= float(2 ** (bits - 1)))
            .then(pl.lit(top, dtype=first))
            .when(wide < float(low))
            .then(pl.lit(low, dtype=first))
            .otherwise(wide.cast(first, strict=False))
        )
        return found.cast(kind, wrap_numerical=True)
    found = wide.cast(kind, strict=False)
    if new.bits == 64:
        top64 = pl.lit(2**63 - 1, dtype=pl.Int64)
        found = pl.when(wide == 2.0**63).then(top64).otherwise(found)
    bad = found.is_null() & value.is_not_null()
    return sound(found, bad, mode, "CAST_OVERFLOW", _overflow(new))


def _decimal_to_whole(
    value: pl.Expr, old: t.DecimalType, new: t.IntegralType, mode: str
) -> pl.Expr:
    cut = unscaled(value)
    if old.scale:
        cut = cut.truncdiv(int128(10**old.scale))
    kind = to_polars(new)
    if mode == "legacy":
        return cut.cast(kind, wrap_numerical=True)
    found = cut.cast(kind, strict=False)
    bad = found.is_null() & value.is_not_null()
    return sound(found, bad, mode, "CAST_OVERFLOW", _overflow(new))


def _whole_to_decimal(value: pl.Expr, old: t.DataType, new: t.DecimalType, mode: str) -> pl.Expr:
    """From whole numbers (binary fractions go through text)."""
    wide = value.cast(pl.Int128)
    room = new.precision - new.scale
    found = scaled(wide * int128(10**new.scale), new)
    digits = {8: 3, 16: 5, 32: 10, 64: 19}[getattr(old, "bits", 64)]
    if room >= digits:
        return found
    return sound(found, wide.abs() >= int128(10**room), mode, *out_of_range(new))


def out_of_range(new: t.DecimalType) -> tuple[str, str]:
    """The error class and message of a number with too many digits for a decimal type."""
    return (
        "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
        f"a value has too many digits for {new.simpleString()}; {_ADVICE}",
    )


def between_decimals(value: pl.Expr, old: t.DecimalType, new: t.DecimalType, mode: str) -> pl.Expr:
    """A decimal with other digits; those that are lost are rounded half up."""
    number, more = unscaled(value), new.scale - old.scale
    fits = new.precision - new.scale >= old.precision - old.scale
    if more >= 0:
        found = scaled(number * int128(10**more), new) if more else scaled(number, new)
        if fits:
            return found
        bad = number.abs() >= int128(10 ** (new.precision - more))
        return sound(found, bad, mode, *out_of_range(new))
    rounded = half_up(number, -more)
    found = scaled(rounded, new)
    if new.precision - new.scale > old.precision - old.scale:
        return found
    return sound(found, rounded.abs() >= int128(10**new.precision), mode, *out_of_range(new))
