"""Bits of whole numbers, and numbers in other bases."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t
from planner.columns.casts.failing import sound
from planner.columns.coercion import common, implied
from planner.columns.columnar import to_polars
from planner.columns.expressions import Expr
from planner.columns.functions.elements import by_row
from planner.columns.functions.registry import (
    INT,
    LONG,
    TEXT,
    At,
    Mismatch,
    Settings,
    Typed,
    scalar,
)

_UNSIGNED = {32: pl.UInt32(), 64: pl.UInt64()}


def _pair(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch(
            f"this takes 2 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    kind = common(arg.type for arg in args)
    if isinstance(kind, t.NullType):
        kind = t.INT
    if not isinstance(kind, t.IntegralType):
        kinds = " and ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(
            f"bits are of whole numbers, not of {kinds}", "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE"
        )
    null = any(arg.nullable for arg in args)
    return tuple(implied(arg, kind) for arg in args), kind, null


@scalar("&", "bitwise_and", resolve=_pair)
def both(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a & b


@scalar("|", "bitwise_or", resolve=_pair)
def either(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a | b


@scalar("^", "bitwise_xor", resolve=_pair)
def differing(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a ^ b


def _whole(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 1 or not isinstance(args[0].type, t.IntegralType | t.NullType):
        kinds = ", ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(f"the bits of a whole number are turned, not those of {kinds}")
    kind = t.INT if isinstance(args[0].type, t.NullType) else args[0].type
    return (implied(args[0], kind),), kind, args[0].nullable


@scalar("~", "bitwise_not", resolve=_whole)
def turned(at: At, a: pl.Expr) -> pl.Expr:
    return -a.cast(to_polars(at.type)) - 1


# ---- shifts --------------------------------------------------------------------------------------


def _shift(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch(
            f"a shift takes 2 arguments, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    kind = t.LONG if isinstance(args[0].type, t.LongType) else t.INT
    null = any(arg.nullable for arg in args)
    if not isinstance(args[0].type, t.IntegralType | t.NullType | t.StringType):
        raise Mismatch(f"whole numbers are shifted, not {args[0].type.simpleString()}")
    return (implied(args[0], kind), implied(args[1], t.INT)), kind, null


def _power(at: At, places: pl.Expr) -> tuple[pl.Expr, pl.DataType]:
    """2 to the power of the places, of which Java looks at the last 5 or 6 bits."""
    assert isinstance(at.type, t.IntegralType)
    bits = at.type.bits
    own = places.cast(pl.Int64) & (bits - 1)
    table = pl.lit(pl.Series([2**n for n in range(bits)], dtype=pl.UInt64).implode()).first()
    return table.list.get(own, null_on_oob=True), _UNSIGNED[bits]


@scalar("shiftleft", "<<", resolve=_shift)
def shiftleft(at: At, a: pl.Expr, places: pl.Expr) -> pl.Expr:
    power, wide = _power(at, places)
    return (a.reinterpret(dtype=wide) * power.cast(wide)).reinterpret(dtype=to_polars(at.type))


@scalar("shiftright", ">>", resolve=_shift)
def shiftright(at: At, a: pl.Expr, places: pl.Expr) -> pl.Expr:
    power, _ = _power(at, places)
    return (a.cast(pl.Int128) // power.cast(pl.Int128)).cast(to_polars(at.type))


@scalar("shiftrightunsigned", ">>>", resolve=_shift)
def shiftrightunsigned(at: At, a: pl.Expr, places: pl.Expr) -> pl.Expr:
    power, wide = _power(at, places)
    return (a.reinterpret(dtype=wide) // power.cast(wide)).reinterpret(dtype=to_polars(at.type))


# ---- counts --------------------------------------------------------------------------------------


def _counted(args: Sequence[Expr], settings: Settings) -> Typed:
    fine = (t.IntegralType, t.BooleanType)
    if len(args) != 1 or not isinstance(args[0].type, fine):
        kinds = ", ".join(arg.type.simpleString() for arg in args)
        raise Mismatch(f"bit_count is for whole numbers and booleans, not {kinds}")
    return tuple(args), t.INT, args[0].nullable


@scalar("bit_count", resolve=_counted)
def bit_count(at: At, a: pl.Expr) -> pl.Expr:
    return a.cast(pl.Int64).bitwise_count_ones().cast(pl.Int32)


def _bit(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 2:
        raise Mismatch(
            f"bit_get takes 2 arguments, not {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    if not isinstance(args[0].type, t.IntegralType):
        raise Mismatch(f"bit_get is for whole numbers, not {args[0].type.simpleString()}")
    null = any(arg.nullable for arg in args)
    return (args[0], implied(args[1], t.INT)), t.BYTE, null


@scalar("bit_get", "getbit", resolve=_bit)
def bit_get(at: At, a: pl.Expr, place: pl.Expr) -> pl.Expr:
    kind = at.types[0]
    assert isinstance(kind, t.IntegralType)
    table = pl.lit(pl.Series([2**n for n in range(64)], dtype=pl.Int128).implode()).first()
    power = table.list.get(place.cast(pl.Int64).clip(0, 63), null_on_oob=True)
    found = ((a.cast(pl.Int128) // power) & pl.lit(1, dtype=pl.Int128)).cast(pl.Int8)
    bad = (place < 0) | (place >= kind.bits)
    message = f"a bit's place must be from 0 to {kind.bits - 1}"
    return sound(found, bad, "ansi", "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", message)


# ---- other bases ---------------------------------------------------------------------------------


@scalar("bin", takes=(LONG,), gives=t.STRING)
def binary(at: At, a: pl.Expr) -> pl.Expr:
    return by_row(lambda n: None if n is None else f"{n % 2**64:b}", t.STRING, a)


def _hex_of(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 1:
        raise Mismatch(
            f"hex takes 1 argument, and was given {len(args)}", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    kind = args[0].type
    if not isinstance(kind, t.StringType | t.BinaryType):
        if not isinstance(kind, t.NumericType | t.NullType):
            raise Mismatch(f"hex is for numbers, text and bytes, not {kind.simpleString()}")
        kind = t.LONG
    return (implied(args[0], kind),), t.STRING, args[0].nullable


@scalar("hex", resolve=_hex_of)
def hexadecimal(at: At, a: pl.Expr) -> pl.Expr:
    if isinstance(at.types[0], t.LongType):
        return by_row(lambda n: None if n is None else f"{n % 2**64:X}", t.STRING, a)
    return a.cast(pl.Binary).bin.encode("hex").str.to_uppercase()


@scalar("unhex", takes=(TEXT,), gives=t.BINARY, null=True)
def unhex(at: At, a: pl.Expr) -> pl.Expr:
    odd = (a.str.len_bytes() % 2) == 1
    even = pl.when(odd).then(pl.concat_str(pl.lit("0"), a)).otherwise(a)
    return even.str.decode("hex", strict=False)


@scalar("conv", takes=(TEXT, INT, INT), gives=t.STRING, null=True)
def conv(at: At, text: pl.Expr, old: pl.Expr, new: pl.Expr) -> pl.Expr:
    return by_row(_converter(at.ansi), t.STRING, text, old, new)


def _converter(ansi: bool) -> Callable[[str | None, int | None, int | None], str | None]:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"

    def converted(text: str | None, old: int | None, new: int | None) -> str | None:
        if text is None or old is None or new is None:
            return None
        bare = text.strip(" ")
        if not bare or not 2 <= old <= 36 or not 2 <= abs(new) <= 36:
            return None
        negative = bare.startswith("-")
        found = re.match(f"[{digits[:old]}]*", bare[negative:].lower())
        number = int(found[0], old) if found and found[0] else 0
        if number >= 2**64:
            if ansi:
                raise pl.exceptions.ComputeError(
                    "minispark:ARITHMETIC_OVERFLOW:overflow in function conv\u241f"
                )
            number = 2**64 - 1
            negative = False
        if negative:
            number = number if new < 0 else (2**64 - number) % 2**64
        elif new < 0 and number >= 2**63:
            number, negative = 2**64 - number, True
        shown = ""
        while number or not shown:
            number, rest = divmod(number, abs(new))
            shown = digits[rest] + shown
        return ("-" if negative and new < 0 else "") + shown.upper()

    return converted
