"""Values as text, as Spark writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from planner.columns import types as t


def real_to_text(value: pl.Expr) -> pl.Expr:
    """Binary fractions as Java writes them: 1.0, 1.0E10, NaN, Infinity."""
    return value.map_batches(written, pl.String(), is_elementwise=True)


def written(values: pl.Series) -> pl.Series:
    """The text of binary fractions: plain from 0.001 up to 10 million, else with an exponent."""
    x, s = pl.col("x"), pl.col("s")
    size = x.abs()
    frame = pl.DataFrame({"x": values}).with_columns(s=pl.col("x").cast(pl.String))
    plain = (
        pl.when(x.is_infinite())
        .then(pl.when(x > 0).then(pl.lit("Infinity")).otherwise(pl.lit("-Infinity")))
        .otherwise(s)
    )
    sized = size.is_finite() & (size != 0) & ((size >= 1e7) | (size < 1e-3))
    found = frame.select(plain.alias("p"), sized.fill_null(False).alias("b"))
    if not found["b"].any():
        return found["p"]
    least = pl.lit("4.9E-324")  # two digits at least, and these are the nearer ones
    number = _scientific(s)
    text = pl.when(number == "5.0E-324").then(least).otherwise(number)
    few = frame.filter(found["b"]).select(
        pl.when(number == "-5.0E-324").then(pl.lit("-4.9E-324")).otherwise(text)
    )
    return found["p"].scatter(found["b"].arg_true(), few.to_series())


def _scientific(text: pl.Expr) -> pl.Expr:
    """Digits with or without an exponent as d.dddEn."""
    sign = pl.when(text.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit(""))
    bare = text.str.strip_prefix("-")
    own = bare.str.extract(r"e([+-]?\d+)$").cast(pl.Int32).fill_null(0)
    number = bare.str.replace(r"e.*$", "")
    whole = number.str.extract(r"^(\d+)")
    part = number.str.extract(r"\.(\d+)$").fill_null("")
    leading = part.str.extract(r"^(0*)").str.len_bytes().cast(pl.Int32)
    large = whole != "0"
    power = pl.when(large).then(whole.str.len_bytes().cast(pl.Int32) - 1).otherwise(-leading - 1)
    digits = pl.concat_str(whole, part).str.strip_chars_start("0").str.strip_chars_end("0")
    rest = digits.str.slice(1)
    return pl.concat_str(
        sign,
        digits.str.head(1),
        pl.lit("."),
        pl.when(rest == "").then(pl.lit("0")).otherwise(rest),
        pl.lit("E"),
        (power + own).cast(pl.String),
    )


def decimal_to_text(value: pl.Expr, kind: t.DecimalType, ansi: bool) -> pl.Expr:
    """All digits; without ANSI very small ones have an exponent, as Java writes them."""
    plain = value.cast(pl.String)
    if ansi or kind.scale <= 6:
        return plain
    number = value.to_physical().abs()
    digits = number.cast(pl.String)
    power = digits.str.len_bytes().cast(pl.Int32) - 1 - kind.scale
    sign = pl.when(value.to_physical() < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    rest = digits.str.slice(1)
    point = pl.when(rest == "").then(pl.lit("")).otherwise(pl.lit("."))
    short = pl.concat_str(sign, digits.str.head(1), point, rest, pl.lit("E"), power.cast(pl.String))
    return pl.when(power < -6).then(short).otherwise(plain)


def date_to_text(value: pl.Expr) -> pl.Expr:
    """year-month-day."""
    return value.dt.to_string("%Y-%m-%d")


def moment_to_text(value: pl.Expr) -> pl.Expr:
    """Date and time of day without a zone; of the fraction only what is not zero."""
    text = value.dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
    cut = text.str.strip_chars_end("0")
    return pl.when(text.str.ends_with(".000000")).then(text.str.head(-7)).otherwise(cut)


def bytes_to_text(value: pl.Expr) -> pl.Expr:
    """Bytes read as UTF-8; what is no character is shown as one that says so."""
    return value.map_batches(_decoded, pl.String(), is_elementwise=True)


def _decoded(values: pl.Series) -> pl.Series:
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        found = [None if each is None else each.decode("utf-8", "replace") for each in values]
        return pl.Series(found, dtype=pl.String)


def number_to_bytes(value: pl.Expr, kind: t.IntegralType) -> pl.Expr:
    """The bytes of a whole number, the highest first."""
    size = kind.bits // 8

    def run(values: pl.Series) -> pl.Series:
        found = [None if n is None else n.to_bytes(size, "big", signed=True) for n in values]
        return pl.Series(found, dtype=pl.Binary)

    return value.map_batches(run, pl.Binary(), is_elementwise=True)


def list_to_text(value: pl.Expr, inner: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """[1, null, 3]"""
    each = value.list.eval(inner(pl.element()).fill_null("null"))
    return pl.concat_str(pl.lit("["), each.list.join(", "), pl.lit("]"))


def map_to_text(
    value: pl.Expr, key: Callable[[pl.Expr], pl.Expr], item: Callable[[pl.Expr], pl.Expr]
) -> pl.Expr:
    """{a -> 1, b -> null}"""
    pair = pl.element().struct
    each = value.map.entries().list.eval(
        pl.concat_str(
            key(pair.field("key")), pl.lit(" -> "), item(pair.field("value")).fill_null("null")
        )
    )
    return pl.concat_str(pl.lit("{"), each.list.join(", "), pl.lit("}"))


def struct_to_text(value: pl.Expr, fields: Sequence[pl.Expr]) -> pl.Expr:
    """{1, x}"""
    parts: list[pl.Expr] = []
    for field in fields:
        parts += [pl.lit(", ")] if parts else []
        parts.append(field.fill_null("null"))
    text = pl.concat_str(pl.lit("{"), *parts, pl.lit("}"))
    return pl.when(value.is_not_null()).then(text)
