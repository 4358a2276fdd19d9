"""Numbers as text, and text as numbers, by SQL's patterns: to_char(12.3, '$99.99')."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import as_decimal, implied
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.registry import (
    TABLE,
    TEXT,
    At,
    Mismatch,
    Settings,
    Typed,
    coerced,
    scalar,
)
from planner.columns.functions.rowwise import each, fail

_FORM = re.compile(r"(MI|S)?(\$)?([09,]*)(?:\.([09]*))?(\$)?(PR|MI|S)?")


@dataclass(frozen=True)
class Form:
    """A pattern: signs before and after, '$', digits with commas, and how many after the point."""

    before: str
    money: bool
    whole: str
    places: int
    point: bool
    after: str

    @property
    def kind(self) -> t.DecimalType:
        """The type of the numbers that it reads."""
        digits = len(self.whole.replace(",", "")) + self.places
        if digits > t.DecimalType.MAX:
            raise Mismatch("a pattern of more than 38 digits", "INVALID_FORMAT")
        return t.DecimalType(digits, self.places)


@lru_cache(128)
def form_of(pattern: str) -> Form:
    """Read a pattern. Raises Mismatch."""
    plain = pattern.upper().replace("G", ",").replace("D", ".")
    found = _FORM.fullmatch(plain)
    if found is None or not re.search("[09]", plain):
        wanted = "[MI|S][$][0|9|G|,]*[.|D][0|9]*[$][PR|MI|S]"
        raise Mismatch(f"the pattern {pattern} of a number is not {wanted}", "INVALID_FORMAT")
    before, after, whole = found[1] or "", found[6] or "", found[3]
    if (before and after) or (found[2] and found[5]):
        raise Mismatch(f"the pattern {pattern} has a sign or $ twice", "INVALID_FORMAT")
    if found[5] or (before and found[2]):
        raise NotImplementedError(f"the pattern {pattern}: $ goes first, without a sign before it")
    if whole.startswith(",") or whole.endswith(","):
        raise Mismatch(f"the pattern {pattern} has a comma at an end", "INVALID_FORMAT")
    places = len(found[4] or "")
    return Form(before, bool(found[2]), whole, places, "." in plain, after)


# ---- writing -------------------------------------------------------------------------------------


def written(value: Decimal, pattern: str) -> str:
    """A number by a pattern; '#' for digits where it has too many."""
    form = form_of(pattern)
    whole, _, rest = f"{abs(value):f}".partition(".")
    whole, rest = whole.lstrip("0"), rest.rstrip("0")
    room = len(form.whole.replace(",", ""))
    if len(whole) > room or len(rest) > form.places:
        digits = re.sub("[09]", "#", form.whole).replace(",", " ")
        tail = "#" * form.places
    else:
        if not whole and form.point and room:
            whole = "0"
        digits = _placed(whole.rjust(room, "0"), len(whole), form.whole)
        tail = rest.ljust(form.places, "0")
    bare = digits.lstrip(" ")
    blanks = digits[: len(digits) - len(bare)]
    if form.point:
        bare += "." + tail
    return ("$" if form.money else "") + blanks + _signed(bare, value < 0, form)


def _placed(digits: str, known: int, pattern: str) -> str:
    """Digits in a pattern; zeros before the number are blanks where it has '9'."""
    found: list[str] = []
    place, shown = 0, False
    for sign in pattern:
        if sign == ",":
            found.append("," if shown else " ")
            continue
        shown = shown or sign == "0" or place >= len(digits) - known
        found.append(digits[place] if shown else " ")
        place += 1
    return "".join(found)


def _signed(text: str, negative: bool, form: Form) -> str:
    plus_minus = "-" if negative else "+"
    blank_minus = "-" if negative else " "
    if form.after == "PR":
        return f"<{text}>" if negative else f"{text}  "
    first = {"S": plus_minus, "MI": blank_minus}.get(form.before, "")
    last = {"S": plus_minus, "MI": blank_minus}.get(form.after, "")
    return first + text + last


# ---- reading -------------------------------------------------------------------------------------


@lru_cache(128)
def _expression(pattern: str) -> re.Pattern[str]:
    """What texts fit a pattern."""
    form = form_of(pattern)
    groups = form.whole.split(",") if form.whole else []
    found = ""
    if form.whole.startswith("0"):
        found = ",".join(rf"\d{{{len(group)}}}" for group in groups)
    elif groups:
        # each group may be the first one that is there, and then shorter
        options = []
        for place, group in enumerate(groups):
            rest = "".join(rf",\d{{1,{len(other)}}}" for other in groups[place + 1 :])
            options.append(rf"\d{{1,{len(group)}}}{rest}")
        found = "|".join(options)
    whole = f"(?P<whole>{found})"
    if not form.whole.startswith("0") and form.point:
        whole += "?"
    tail = rf"(?:\.(?P<rest>\d{{0,{form.places}}}))?" if form.point else ""
    signs = {"S": "(?P<sign>[+-])?", "MI": "(?P<sign>-)?", "": "", "PR": ""}
    money = r"\$" if form.money else ""
    body = signs[form.before] + money + whole + tail + signs[form.after]
    if form.after == "PR":
        body = f"(?P<sign><)?{body}(?(sign)>)"
    return re.compile(rf"\s*{body}\s*", re.ASCII)


def read(text: str, pattern: str) -> Decimal | None:
    """A number by a pattern; None for what does not fit."""
    found = _expression(pattern).fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict()
    digits, rest = (parts["whole"] or "").replace(",", ""), parts.get("rest") or ""
    if not digits + rest:
        return None
    value = Decimal(f"{digits or 0}.{rest or 0}")
    return -value if parts.get("sign") in ("-", "<") else value


def _to_number(name: str, gentle: bool) -> None:
    def resolve(args: Sequence[Expr], settings: Settings) -> Typed:
        found = coerced(name, args, (TEXT, TEXT), None, None)
        if not isinstance(found[1], Literal):
            raise Mismatch(f"the pattern of {name} must be constant", "NON_FOLDABLE_INPUT")
        pattern = found[1].value
        kind = t.DecimalType(38, 18) if pattern is None else form_of(pattern).kind
        return found, kind, True

    def build(at: At, text: pl.Expr, pattern: pl.Expr) -> pl.Expr:
        def one(value: str, how: str) -> Decimal | None:
            found = read(value, how)
            if found is None and not gentle:
                fail(
                    "INVALID_FORMAT.MISMATCH_INPUT",
                    f"the text does not fit {how}; try_to_number gives NULL",
                )
            return found

        return each(one, at.type, text, pattern)

    scalar(name, resolve=resolve)(build)


_to_number("to_number", False)
_to_number("try_to_number", True)

# ---- to_char -------------------------------------------------------------------------------------

_TIMES = (t.DateType, t.TimestampType, t.TimestampNTZType)


def _char(args: Sequence[Expr], settings: Settings) -> Typed:
    """Dates are date_format's, bytes those of a few encodings, numbers these patterns'."""
    if len(args) != 2:
        raise Mismatch("to_char takes a value and a pattern", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
    value, pattern = args[0], coerced("to_char", args[1:], (TEXT,), None, None)[0]
    null = value.nullable or pattern.nullable
    if isinstance(value.type, _TIMES):
        given, kind, _ = TABLE["date_format"].resolve((value, pattern), settings)
        return given, kind, null
    if isinstance(value.type, t.BinaryType):
        return (value, pattern), t.STRING, null
    exact = as_decimal(value.type)
    if isinstance(value.type, (t.FloatType, t.DoubleType, t.StringType)):
        raise NotImplementedError("to_char of text or a binary fraction; cast it to decimal")
    if exact is None and not isinstance(value.type, t.NullType):
        raise Mismatch(f"to_char does not take {value.type.simpleString()}")
    if isinstance(pattern, Literal) and pattern.value is not None:
        form_of(pattern.value)
    return (implied(value, exact or t.DecimalType(10, 0)), pattern), t.STRING, null


@scalar("to_char", "to_varchar", resolve=_char)
def to_char(at: At, value: pl.Expr, pattern: pl.Expr) -> pl.Expr:
    kind = at.types[0]
    if isinstance(kind, _TIMES):
        return TABLE["date_format"].build(at, value, pattern)
    if isinstance(kind, t.BinaryType):
        return _of_bytes(value, at.values[1])

    def one(number: Decimal, how: str) -> str:
        try:
            return written(number, how)
        except Mismatch as error:
            fail(error.code, str(error))

    return each(one, t.STRING, value, pattern)


def _of_bytes(value: pl.Expr, known: object) -> pl.Expr:
    match str(known).lower():
        case "hex":
            return value.bin.encode("hex").str.to_uppercase()
        case "base64":
            return value.bin.encode("base64")
        case "utf-8" | "utf8":
            return each(lambda data: data.decode(errors="replace"), t.STRING, value)
    raise NotImplementedError(f"to_char of bytes with the format {known}")
