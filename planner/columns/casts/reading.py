"""Text as numbers and booleans."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import polars as pl

from planner.columns import types as t
from planner.columns.casts.failing import BLANKS, read, sound
from planner.columns.casts.numbers import half_up, int128, out_of_range, scaled
from planner.columns.columnar import to_polars
from planner.columns.functions.raising import marked

_MANY = 18  # places that are read at once, and leave room for as many digits before the point
_TRUE, _FALSE = ["t", "true", "y", "yes", "1"], ["f", "false", "n", "no", "0"]
_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def to_boolean(text: pl.Expr, mode: str) -> pl.Expr:
    """The words that mean true and false, in any case."""
    word = text.str.strip_chars(BLANKS).str.to_lowercase()
    found = (
        pl.when(word.is_in(_TRUE))
        .then(pl.lit(True))
        .when(word.is_in(_FALSE))
        .then(pl.lit(False))
        .otherwise(pl.lit(None, dtype=pl.Boolean))
    )
    return read(text, found, mode, "boolean")


def _direct(text: pl.Expr, kind: pl.DataType, other: pl.Expr) -> pl.Expr:
    """What Polars reads by itself; `other` is only computed for the rest."""
    found = text.cast(kind, strict=False)
    return pl.when(found.is_null() & text.is_not_null()).then(other).otherwise(found)


def to_whole(text: pl.Expr, new: t.IntegralType, mode: str) -> pl.Expr:
    """Digits with a sign; without ANSI a fraction is cut off."""
    kind = to_polars(new)
    bare = text.str.strip_chars(BLANKS)
    if mode == "legacy":
        cut = bare.str.extract(r"^([+-]?\d*)(?:\.\d*)?$")
        bare = pl.when(bare.str.contains(r"\d|^[+-]?\.$")).then(
            pl.when(cut.is_in(["", "+", "-"])).then(pl.lit("0")).otherwise(cut)
        )
    found = _direct(text, pl.Int64(), bare.cast(pl.Int64, strict=False))
    if kind != pl.Int64():
        found = found.cast(kind, strict=False)
    return read(text, found, mode, new.simpleString())


def to_real(text: pl.Expr, new: t.DataType, mode: str) -> pl.Expr:
    """Numbers as Java writes them: with an exponent, with d or f at the end, Infinity, NaN."""
    bare = text.str.strip_chars(BLANKS)
    kind = to_polars(new)
    suffixed = bare.str.contains(r"^[^fFnN]*[0-9.][dDfF]$")
    plain = pl.when(suffixed).then(bare.str.head(-1)).otherwise(bare)
    found = _direct(text, kind, plain.cast(kind, strict=False))
    return read(text, found, mode, new.simpleString())


def to_decimal(text: pl.Expr, new: t.DecimalType, mode: str) -> pl.Expr:
    """Digits, a point, an exponent; digits that are too many are rounded half up."""

    def run(values: pl.Series) -> pl.Series:
        found = unscaled_of_text(values, new)
        if mode == "ansi" and found.null_count() > values.null_count():
            raise pl.exceptions.ComputeError(_unread(values.filter(found.is_null()), new))
        return found

    return scaled(text.map_batches(run, pl.Int128(), is_elementwise=True), new)


def _unread(values: pl.Series, new: t.DecimalType) -> str:
    """The error of the first text that is no such decimal."""
    bad = values.drop_nulls()[:1]
    if bad.str.strip_chars(BLANKS).str.contains(_NUMBER).item():
        return marked(*out_of_range(new))
    return marked("CAST_INVALID_INPUT", f"the value '{bad.item()}' is no number")


def real_to_decimal(value: pl.Expr, new: t.DecimalType, mode: str) -> pl.Expr:
    """A binary fraction by its shortest digits, rounded half up."""
    wide = value.cast(pl.Float64)
    number = wide.map_batches(
        lambda values: unscaled_of_text(values.cast(pl.String), new),
        pl.Int128(),
        is_elementwise=True,
    )
    bad = number.is_null() & value.is_finite()  # no number and infinity are NULL in every mode
    return sound(scaled(number, new), bad, mode, *out_of_range(new))


def unscaled_of_text(values: pl.Series, new: t.DecimalType) -> pl.Series:
    """The whole numbers of 128 bits that a decimal type stores for text; null where it is no
    number or has too many digits."""
    found = _exact_of_text(values, new)
    for other in (_cut_of_text, _rounded_of_text):  # each for what the ones before have not read
        rest = found.is_null() & values.is_not_null()
        if not rest.any():
            break
        found = found.scatter(rest.arg_true(), other(values.filter(rest), new))
    return found


def _places(text: pl.Expr) -> pl.Expr:
    """The digits after the point; NULL without a point."""
    return text.str.len_bytes().cast(pl.Int64) - text.str.find(".", literal=True).cast(pl.Int64) - 1


def _exact_of_text(values: pl.Series, new: t.DecimalType) -> pl.Series:
    """The same where nothing is to be rounded."""
    text = pl.col("t")
    short = (_places(text) <= new.scale).fill_null(True) & ~text.str.contains_any(["e", "E"])
    number = text.cast(to_polars(new), strict=False).to_physical()
    quick = pl.when(short).then(number).alias("n")
    return pl.DataFrame({"t": values}).select(quick).to_series()


def _cut_of_text(values: pl.Series, new: t.DecimalType) -> pl.Series:
    """The same for plain numbers with more places, or blanks around them: they are read with all
    their places, and rounded."""
    bare = pl.DataFrame({"t": values.str.strip_chars(BLANKS)}).with_columns(
        pl.when(~pl.col("t").str.contains_any(["e", "E"])).then("t")
    )
    frame = bare.with_columns(_places(pl.col("t")).fill_null(0).alias("places"))
    most = max(t.DecimalType.MAX - new.precision + new.scale, _MANY)
    frame = frame.with_columns(pl.when(pl.col("places") <= most).then("t"), "places")
    places = frame.select(pl.col("places").filter(pl.col("t").is_not_null()).max()).item()
    scale = max(places or 0, new.scale)
    wide = pl.col("t").cast(pl.Decimal(t.DecimalType.MAX, scale), strict=False).to_physical()
    whole = half_up(wide, scale - new.scale)
    fitting = pl.when(whole.abs() < int128(10**new.precision)).then(whole)
    return frame.select(fitting.alias("n")).to_series()


def _rounded_of_text(values: pl.Series, new: t.DecimalType) -> pl.Series:
    """The same for what has blanks around it, an exponent, or too many digits."""
    bare = values.str.strip_chars(BLANKS)
    names = pl.col("t")
    sign = pl.when(names.str.starts_with("-")).then(int128(-1)).otherwise(int128(1))
    whole = names.str.extract(r"^[+-]?0*(\d*)")
    part = names.str.extract(r"\.(\d*)").fill_null("").str.head(new.scale + 1)
    digits = pl.concat_str(whole, part.str.pad_end(new.scale + 1, "0"))
    room = new.precision - new.scale
    fits = names.str.contains(_PLAIN) & (whole.str.len_bytes() <= room)
    number = pl.when(fits).then(digits).cast(pl.Int128, strict=False)
    rounded = half_up(number, 1) * sign
    found = pl.when(rounded.abs() < int128(10**new.precision)).then(rounded)
    frame = pl.DataFrame({"t": bare})
    plain = frame.select(found.alias("n"))["n"]
    exotic = bare.str.contains("[eE]").fill_null(False)
    if not exotic.any():
        return plain
    at = exotic.arg_true()
    more = [_exotic(text, new) for text in bare.filter(exotic)]
    return plain.scatter(at, pl.Series(more, dtype=pl.Int128))


def _exotic(text: str, new: t.DecimalType) -> int | None:
    """A number with an exponent."""
    try:
        sign, digits, exponent = Decimal(text).as_tuple()
    except InvalidOperation:
        return None
    if not isinstance(exponent, int):
        return None
    number, places = int("".join(map(str, digits))), exponent + new.scale
    if places > 80 and number:
        return None
    if places >= 0:
        number *= 10 ** min(places, 80)
    elif places < -len(digits) - 1:
        number = 0
    else:
        unit: int = 10**-places
        number = (number + unit // 2) // unit
    return (-number if sign else number) if number < 10**new.precision else None
