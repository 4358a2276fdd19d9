"""Operators on numbers. Under ANSI what does not fit, and a division by zero, is an error; the
`try_` functions give NULL; without ANSI whole numbers wrap and the rest is NULL."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.casts.failing import sound
from planner.columns.casts.numbers import int128, true_quotient, unscaled
from planner.columns.coercion import bounded, common, implied, literal_as_decimal
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions import decimals, moments
from planner.columns.functions.elements import by_batch
from planner.columns.functions.registry import At, Build, Mismatch, Resolve, Settings, Typed, scalar

OfDecimals = Callable[[t.DecimalType, t.DecimalType], t.DecimalType]


def _decimals(args: Sequence[Expr]) -> tuple[t.DecimalType, t.DecimalType] | None:
    """The types of two operands as decimals, if that is what they are computed as."""
    if not any(isinstance(arg.type, t.DecimalType) for arg in args):
        return None
    left, right = literal_as_decimal(args[0]), literal_as_decimal(args[1])
    return None if left is None or right is None else (left, right)


def sum_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a + b, a - b (Spark's rules, as in all of these)."""
    scale = max(a.scale, b.scale)
    return bounded(max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale)


def product_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a * b."""
    return bounded(a.precision + b.precision + 1, a.scale + b.scale)


def quotient_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a / b."""
    scale = max(6, a.scale + b.precision + 1)
    return bounded(a.precision - a.scale + b.scale + scale, scale)


def remainder_type(a: t.DecimalType, b: t.DecimalType) -> t.DecimalType:
    """The type of a % b."""
    scale = max(a.scale, b.scale)
    return bounded(min(a.precision - a.scale, b.precision - b.scale) + scale, scale)


def _two(
    name: str, args: Sequence[Expr], of_decimals: OfDecimals, ansi: bool, real: bool = False
) -> Typed:
    if len(args) != 2:
        raise Mismatch(
            f"{name} takes 2 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    null = any(arg.nullable for arg in args) or name not in ("+", "-", "*")
    found = _decimals(args)
    if found is not None:
        kind: t.DataType = of_decimals(*found)
        own = tuple(implied(arg, each) for arg, each in zip(args, found, strict=True))
        return own, kind, True
    both = common(arg.type for arg in args) if ansi else _older(args)
    one = t.DOUBLE if real and isinstance(both, (t.NumericType, t.NullType)) else both
    if isinstance(one, (t.NullType, t.StringType)):
        one = t.DOUBLE
    if not isinstance(one, t.NumericType):
        kinds = " and ".join(arg.type.simpleString() for arg in args)
        code = "BINARY_OP_DIFF_TYPES" if both is None else "BINARY_OP_WRONG_TYPE"
        raise Mismatch(f"{name} is for numbers, and was given {kinds}", f"DATATYPE_MISMATCH.{code}")
    return tuple(implied(arg, one) for arg in args), one, null


def _older(args: Sequence[Expr]) -> t.DataType | None:
    """The type of numbers that meet without ANSI: float stays float, text is always double."""
    kinds = [arg.type for arg in args]
    if all(isinstance(kind, t.NumericType | t.StringType | t.NullType) for kind in kinds):
        if t.STRING in kinds:
            return t.DOUBLE
        if t.FLOAT in kinds and t.DOUBLE not in kinds:
            return t.FLOAT
    return common(kinds)


def _pair(at: At) -> tuple[t.DecimalType, t.DecimalType]:
    one, other = at.types
    assert isinstance(one, t.DecimalType) and isinstance(other, t.DecimalType)
    return one, other


def _summed(name: str) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        return moments.typed(name, args) or _two(name, args, sum_type, settings.ansi)

    return resolve


def _sum(sign: int) -> Callable[[At, pl.Expr, pl.Expr, str], pl.Expr]:
    def build(at: At, a: pl.Expr, b: pl.Expr, mode: str) -> pl.Expr:
        if not isinstance(at.type, t.NumericType):
            return moments.shifted(at, a, b, sign)
        if isinstance(at.type, t.DecimalType):
            return decimals.add(a, b, _pair(at), at.type, mode, sign)
        found = a + b if sign > 0 else a - b
        if mode == "legacy" or not isinstance(at.type, t.IntegralType):
            return found
        beyond = (b < 0) != (found < a) if sign > 0 else (b < 0) != (found > a)
        if sign < 0:
            beyond = ((b < 0) & (found <= a)) | ((b > 0) & (found >= a))
        return sound(found, beyond, mode, *_overflow(at, "+" if sign > 0 else "-"))

    return build


def _overflow(at: At, sign: str) -> tuple[str, str]:
    kind = at.type.simpleString()
    small = sign in "+-*" and at.type in (t.BYTE, t.SHORT)
    code = "BINARY_ARITHMETIC_OVERFLOW" if small else "ARITHMETIC_OVERFLOW"
    return code, f"{kind} overflow in {sign}; use the try_ functions for NULL"


def _product(at: At, a: pl.Expr, b: pl.Expr, mode: str) -> pl.Expr:
    if isinstance(at.type, t.DecimalType):
        return decimals.multiply(a, b, _pair(at), at.type, mode)
    found = a * b
    if mode == "legacy" or not isinstance(at.type, t.IntegralType):
        return found
    wide: pl.DataType = pl.Int128() if at.type == t.LONG else pl.Int64()
    fits = (a.cast(wide) * b.cast(wide)).cast(to_polars(at.type), strict=False)
    beyond = fits.is_null() & found.is_not_null()
    return sound(found, beyond, mode, *_overflow(at, "*"))


def _by_zero(at: At, a: pl.Expr, b: pl.Expr, mode: str, found: pl.Expr, code: str) -> pl.Expr:
    """A division by zero: an error under ANSI, else NULL. (`found` was made of `_safe(b)`.)"""
    if mode != "ansi" or (at.values[1] is not None and at.values[1] != 0):
        return found
    message = "division by zero; use the try_ functions for NULL"
    return sound(found, (b == 0) & a.is_not_null(), mode, code, message)


def _safe(at: At, b: pl.Expr) -> pl.Expr:
    """The divisor, NULL where it is 0."""
    if at.values[1] is not None and at.values[1] != 0:
        return b
    return pl.when(b != 0).then(b)


def _quotient(at: At, a: pl.Expr, b: pl.Expr, mode: str) -> pl.Expr:
    safe = _safe(at, b)
    if isinstance(at.type, t.DecimalType):
        found = decimals.divide(a, safe, _pair(at), at.type, mode)
    else:
        found = true_quotient(a, safe)
    return _by_zero(at, a, b, mode, found, "DIVIDE_BY_ZERO")


def _rest(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """What a division leaves, with the sign of a."""
    if isinstance(at.type, t.IntegralType):
        return a - a.truncdiv(b) * b
    return by_batch(_float_rest, at.type, a, b)


def _float_rest(a: pl.Series, b: pl.Series) -> pl.Series:
    """The exact rest of binary fractions; Polars' own loses digits of large ones."""
    x, y = a.cast(pl.Float64), b.cast(pl.Float64)
    there = x.is_finite() & y.is_not_nan() & (y != 0)
    sane = there.fill_null(False)
    found = (x + y).set(x.is_not_null() & y.is_not_null(), math.nan)
    rests = list(map(math.fmod, x.filter(sane), y.filter(sane)))
    return found.scatter(sane.arg_true(), pl.Series(rests, dtype=pl.Float64)).cast(a.dtype)


def _remainder(at: At, a: pl.Expr, b: pl.Expr, mode: str) -> pl.Expr:
    safe = _safe(at, b)
    if isinstance(at.type, t.DecimalType):
        found = decimals.remainder(a, safe, _pair(at), at.type, mode)
    else:
        found = _rest(at, a, safe)
    return _by_zero(at, a, b, mode, found, "REMAINDER_BY_ZERO")


def _positive_rest(at: At, a: pl.Expr, b: pl.Expr, mode: str) -> pl.Expr:
    safe = _safe(at, b)
    if isinstance(at.type, t.DecimalType):
        found = decimals.remainder(a, safe, _pair(at), at.type, mode, positive=True)
    else:
        first = _rest(at, a, safe)
        found = pl.when(first < 0).then(_rest(at, first + safe, safe)).otherwise(first)
    return _by_zero(at, a, b, mode, found, "REMAINDER_BY_ZERO")


def _whole_quotient(at: At, a: pl.Expr, b: pl.Expr, mode: str) -> pl.Expr:
    safe = _safe(at, b)
    if isinstance(at.types[0], t.DecimalType):
        found = decimals.whole_quotient(a, safe, _pair(at), mode)
    else:
        found = a.truncdiv(safe)
        if mode != "legacy":
            beyond = (b == -1) & (a == -(2**63))
            found = sound(found, beyond, mode, *_overflow(at, "div"))
    return _by_zero(at, a, b, mode, found, "DIVIDE_BY_ZERO")


def _div_typed(args: Sequence[Expr], settings: Settings) -> Typed:
    own, kind, _ = _two("div", args, quotient_type, settings.ansi)
    if isinstance(kind, t.DecimalType):
        return own, t.LONG, True
    if not isinstance(kind, t.IntegralType):
        kinds = {arg.type for arg in args}
        wrong = len(kinds) == 1 or any(isinstance(each, t.DecimalType) for each in kinds)
        code = "BINARY_OP_WRONG_TYPE" if wrong else "BINARY_OP_DIFF_TYPES"
        raise Mismatch(
            f"div is for whole numbers and decimals, and was given {kind.simpleString()}",
            f"DATATYPE_MISMATCH.{code}",
        )
    return tuple(implied(arg, t.LONG) for arg in own), t.LONG, True


def _operator(
    names: Sequence[str],
    tried: str | None,
    resolve: Resolve,
    build: Callable[[At, pl.Expr, pl.Expr, str], pl.Expr],
) -> None:
    """Enter an operator and its `try_` form."""

    def usual(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return build(at, a, b, "ansi" if at.ansi else "legacy")

    def safe(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return build(at, a, b, "try")

    def nullable(args: Sequence[Expr], settings: Settings) -> Typed:
        own, kind, _ = resolve(args, settings)
        return own, kind, True

    scalar(*names, resolve=resolve)(usual)
    if tried is not None:
        scalar(tried, resolve=nullable)(safe)


def _as(name: str, of_decimals: OfDecimals, real: bool = False) -> Resolve:
    return lambda args, settings: _two(name, args, of_decimals, settings.ansi, real)


_operator(("+",), "try_add", _summed("+"), _sum(1))
_operator(("-",), "try_subtract", _summed("-"), _sum(-1))
_operator(("*",), "try_multiply", _as("*", product_type), _product)
_operator(("/",), "try_divide", _as("/", quotient_type, real=True), _quotient)
_operator(("%", "mod"), "try_mod", _as("%", remainder_type), _remainder)
_operator(("pmod",), None, _as("pmod", remainder_type), _positive_rest)
_operator(("div",), None, _div_typed, _whole_quotient)


# ---- of one number -------------------------------------------------------------------------------


def _signed(name: str) -> Resolve:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        if len(args) != 1:
            raise Mismatch(
                f"{name} takes 1 argument, and was given {len(args)}",
                "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
            )
        kind = args[0].type
        if isinstance(kind, t.StringType | t.NullType):
            kind = t.DOUBLE
        if not isinstance(kind, t.NumericType | t.DayTimeIntervalType | t.YearMonthIntervalType):
            raise Mismatch(f"{name} is for numbers, and was given {kind.simpleString()}")
        return (implied(args[0], kind),), kind, args[0].nullable

    return resolve


def _unless_least(at: At, a: pl.Expr, found: pl.Expr, sign: str) -> pl.Expr:
    """The least whole number has no opposite."""
    if not at.ansi or not isinstance(at.type, t.IntegralType):
        return found
    return sound(found, a == -(2 ** (at.type.bits - 1)), "ansi", *_overflow(at, sign))


def _one(*names: str) -> Callable[[Build], Build]:
    return scalar(*names, resolve=_signed(names[0]))


@_one("negative")
def negative(at: At, a: pl.Expr) -> pl.Expr:
    if isinstance(at.type, t.DecimalType):
        return decimals.of_34_digits(int128(0) - unscaled(a), at.type)
    return _unless_least(at, a, (-a).cast(to_polars(at.type)), "negative")


@_one("positive")
def positive(at: At, a: pl.Expr) -> pl.Expr:
    return a


@_one("abs")
def size(at: At, a: pl.Expr) -> pl.Expr:
    if isinstance(at.type, t.DecimalType):
        number = unscaled(a)
        turned = pl.when(number < 0).then(int128(0) - number)
        return pl.when(number < 0).then(decimals.of_34_digits(turned, at.type)).otherwise(a)
    return _unless_least(at, a, a.abs(), "abs")
