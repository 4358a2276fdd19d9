"""Rounding: to digits after the point, or before it, up and down."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.casts.failing import sound
from planner.columns.casts.numbers import half_up, int128, scaled, true_quotient, unscaled
from planner.columns.coercion import as_decimal, implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Cast, Expr, Literal
from planner.columns.functions.elements import by_batch
from planner.columns.functions.registry import At, Mismatch, Settings, Typed, scalar


def _scale(name: str, args: Sequence[Expr]) -> int | None:
    """The number of digits asked for, which must be a constant."""
    if len(args) not in (1, 2):
        raise Mismatch(
            f"{name} takes 1 or 2 arguments, not {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    if len(args) == 1:
        return None
    place = args[1]
    while isinstance(place, Cast):
        place = place.child
    value = _constant(place)
    if not isinstance(value, int):
        raise Mismatch(
            f"the second argument of {name} must be a constant whole number",
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
        )
    return value


def _constant(expr: Expr) -> object:
    if isinstance(expr, Literal):
        return expr.value
    name = getattr(expr, "name", "")
    if name == "negative" and isinstance(expr.children[0], Literal):
        return -expr.children[0].value
    return None


def _rounded(name: str) -> object:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        scale = _scale(name, args) or 0
        kind = args[0].type
        if isinstance(kind, t.StringType | t.NullType):
            kind = t.DOUBLE
        if not isinstance(kind, t.NumericType):
            raise Mismatch(f"{name} is for numbers, and was given {kind.simpleString()}")
        found = kind
        if isinstance(kind, t.DecimalType):
            found = _of_decimal(kind, scale)
        own = (implied(args[0], kind), Literal(scale, t.INT))
        return own, found, args[0].nullable or isinstance(kind, t.DecimalType)

    return resolve


def _of_decimal(kind: t.DecimalType, scale: int) -> t.DecimalType:
    whole = kind.precision - kind.scale + 1
    if scale < 0:
        return t.DecimalType(min(max(whole, -scale + 1), 38), 0)
    kept = min(kind.scale, scale)
    return t.DecimalType(min(whole + kept, 38), kept)


@scalar("round", resolve=_rounded("round"))  # type: ignore[arg-type]
def round_(at: At, x: pl.Expr, place: pl.Expr) -> pl.Expr:
    return _round(at, x, even=False)


@scalar("bround", resolve=_rounded("bround"))  # type: ignore[arg-type]
def bround(at: At, x: pl.Expr, place: pl.Expr) -> pl.Expr:
    return _round(at, x, even=True)


def _round(at: At, x: pl.Expr, even: bool) -> pl.Expr:
    scale = int(at.values[1])
    kind = at.types[0]
    if isinstance(kind, t.DecimalType):
        assert isinstance(at.type, t.DecimalType)
        found = _cut(unscaled(x), kind.scale - scale, even)
        if scale < 0:
            found = found * int128(10 ** min(-scale, 37))
        elif scale > kind.scale:
            found = unscaled(x)
        bad = found.abs() >= int128(10**at.type.precision)
        return sound(scaled(found, at.type), bad, "ansi" if at.ansi else "legacy", *_OVER)
    if isinstance(kind, t.IntegralType):
        if scale >= 0:
            return x
        unit = 10 ** min(-scale, 37)
        wide = _cut(x.cast(pl.Int128), min(-scale, 37), even) * int128(unit)
        if not at.ansi:
            return wide.cast(to_polars(kind), wrap_numerical=True)
        found = wide.cast(to_polars(kind), strict=False)
        bad = found.is_null() & x.is_not_null()
        message = f"{kind.simpleString()} overflow in round"
        return sound(found, bad, "ansi", "ARITHMETIC_OVERFLOW", message)
    return real_rounded(x.cast(pl.Float64), scale, even).cast(to_polars(kind))


_OVER = (
    "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
    "a rounded decimal has too many digits for its type",
)


def _cut(value: pl.Expr, places: int, even: bool) -> pl.Expr:
    """A whole number of 128 bits without its last digits."""
    if not even or places <= 0:
        return half_up(value, places)
    if places > 38:
        return value * int128(0)
    unit = int128(10**places)
    cut = value.truncdiv(unit)
    rest = (value - cut * unit).abs() * int128(2)
    odd = (cut - cut.truncdiv(int128(2)) * int128(2)) != 0
    away = pl.when(value < 0).then(int128(-1)).otherwise(int128(1))
    return pl.when((rest > unit) | ((rest == unit) & odd)).then(cut + away).otherwise(cut)


def real_rounded(x: pl.Expr, scale: int, even: bool) -> pl.Expr:
    """A binary fraction rounded by the digits that it is written with: 1.005 to 1.01.

    The tie next to it is made as the decimal that it is; x is at it if it is that number.
    """
    size = x.abs()
    if scale >= 0:
        unit, tie_unit = 10.0 ** min(scale, 300), 10.0 ** min(scale + 1, 301)
        low = (size * unit).floor()
        tie = true_quotient(low * 10 + 5, tie_unit)
        down, up = true_quotient(low, unit), true_quotient(low + 1, unit)
    else:
        whole = 10.0 ** min(-scale, 300)
        low = true_quotient(size, whole).floor()
        tie, down, up = (low * 10 + 5) * (whole / 10), low * whole, (low + 1) * whole
    at_tie = ((low % 2) == 1) if even else pl.lit(True)
    higher = (size > tie) | ((size == tie) & at_tie)
    found = pl.when(higher).then(up).otherwise(down)
    signed = pl.when(x < 0).then(0.0 - found).otherwise(found) + 0.0
    sane = (size * (10.0 ** min(max(scale, 0), 300)) < 2.0**52) & size.is_finite()
    return pl.when(sane.fill_null(True)).then(signed).otherwise(x)


# ---- up and down ---------------------------------------------------------------------------------


def _whole(name: str) -> object:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        scale = _scale(name, args)
        kind = args[0].type
        if isinstance(kind, t.StringType | t.NullType):
            kind = t.DOUBLE
        if not isinstance(kind, t.NumericType):
            raise Mismatch(f"{name} is for numbers, and was given {kind.simpleString()}")
        null = args[0].nullable
        if scale is None:
            if isinstance(kind, t.DecimalType):
                found: t.DataType = t.DecimalType(
                    min(kind.precision - kind.scale + 1, 38) if kind.scale else kind.precision, 0
                )
                return (implied(args[0], kind),), found, null
            if isinstance(kind, t.IntegralType):
                return (implied(args[0], t.LONG),), t.LONG, null
            return (implied(args[0], t.DOUBLE),), t.LONG, null
        reals: dict[t.DataType, t.DecimalType] = {
            t.FLOAT: t.DecimalType(14, 7),
            t.DOUBLE: t.DecimalType(30, 15),
        }
        decimal = reals.get(kind) or as_decimal(kind)
        assert decimal is not None
        own = (implied(args[0], decimal), Literal(scale, t.INT))
        return own, _of_decimal(decimal, scale), null

    return resolve


@scalar("ceil", "ceiling", resolve=_whole("ceil"))  # type: ignore[arg-type]
def ceil(at: At, x: pl.Expr, place: pl.Expr | None = None) -> pl.Expr:
    return _directed(at, x, up=True)


@scalar("floor", resolve=_whole("floor"))  # type: ignore[arg-type]
def floor(at: At, x: pl.Expr, place: pl.Expr | None = None) -> pl.Expr:
    return _directed(at, x, up=False)


def _directed(at: At, x: pl.Expr, up: bool) -> pl.Expr:
    kind = at.types[0]
    if isinstance(kind, t.IntegralType):
        return x
    if isinstance(kind, t.DecimalType):
        assert isinstance(at.type, t.DecimalType)
        scale = int(at.values[1]) if len(at.values) > 1 else 0
        return _directed_decimal(x, kind, at.type, scale, up)
    found = x.ceil() if up else x.floor()
    whole = by_batch(_saturated, t.LONG, found)
    if not at.ansi:
        return whole
    beyond = ((found >= 2.0**63) & found.is_not_nan()) | (found < -(2.0**63))
    message = "bigint overflow in ceil or floor"
    return sound(whole, beyond, "ansi", "ARITHMETIC_OVERFLOW", message)


def _saturated(values: pl.Series) -> pl.Series:
    """As Java makes whole numbers of fractions: NaN is 0, what is too large the largest."""
    x = pl.col("x")
    top = pl.lit(2**63 - 1, dtype=pl.Int64)
    found = (
        pl.when(x.is_nan())
        .then(pl.lit(0, dtype=pl.Int64))
        .when(x >= 2.0**63)
        .then(top)
        .when(x < -(2.0**63))
        .then(-top - 1)
        .otherwise(x.cast(pl.Int64, strict=False))
    )
    return pl.DataFrame({"x": values}).select(found.alias("y")).to_series()


def _directed_decimal(
    x: pl.Expr, kind: t.DecimalType, to: t.DecimalType, scale: int, up: bool
) -> pl.Expr:
    number = unscaled(x)
    places = kind.scale - min(scale, kind.scale)
    if places <= 0:
        return scaled(number, to)
    if places > 38:
        raise NotImplementedError(f"rounding to {scale} digits")
    unit = int128(10**places)
    cut = number.truncdiv(unit)
    rest = number - cut * unit
    if up:
        cut = pl.when(rest > 0).then(cut + int128(1)).otherwise(cut)
    else:
        cut = pl.when(rest < 0).then(cut - int128(1)).otherwise(cut)
    return scaled(cut * int128(10**-scale) if scale < 0 else cut, to)
