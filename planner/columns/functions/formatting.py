"""Numbers as text: format_number and format_string, as Java writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.coercion import implied
from planner.columns.expressions import Expr, Literal
from planner.columns.functions.elements import by_row
from planner.columns.functions.registry import (
    INT,
    NUMBER,
    TEXT,
    At,
    Mismatch,
    Settings,
    Typed,
    coerced,
    resolver,
    scalar,
)
from planner.columns.functions.rowwise import each, fail

_EXACT = Context(prec=1200)  # more digits than any double or decimal has
Number = int | float | Decimal


def rounded(value: Decimal, places: int, how: str) -> Decimal:
    """A number with so many digits after the point."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=how, context=_EXACT)


def grouped(digits: str, size: int = 3) -> str:
    """Whole digits with a comma between groups."""
    head = len(digits) % size
    groups = [digits[:head]] if head else []
    groups += [digits[at : at + size] for at in range(head, len(digits), size)]
    return ",".join(groups)


# ---- format_number -------------------------------------------------------------------------------


def by_places(value: Number, places: int) -> str | None:
    """With commas and so many digits after the point; ties go to the even digit."""
    if places < 0:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    text = f"{rounded(Decimal(value), places, ROUND_HALF_EVEN):f}"
    sign = "-" if text.startswith("-") else ""
    whole, _, rest = text.removeprefix("-").partition(".")
    return sign + grouped(whole) + (f".{rest}" if rest else "")


@dataclass(frozen=True)
class Shape:
    """A simple pattern of DecimalFormat: how many digits at least and at most, and the groups."""

    before: str
    after: str
    least: int
    some: int
    most: int
    group: int


@lru_cache(128)
def shape(pattern: str) -> Shape:
    """Read a pattern such as '#,##0.00'."""
    found = re.fullmatch(r"([^#0,.;%‰E'¤]*)([#,]*[0,]*)(?:\.(0*)(#*))?([^#0,.;%‰E'¤]*)", pattern)
    if found is None or not (found[2] or found[3] or found[4]):
        raise NotImplementedError(f"the pattern {pattern} of format_number")
    whole, some, more = found[2], found[3] or "", found[4] or ""
    group = len(whole) - whole.rfind(",") - 1 if "," in whole else 0
    least = 1 if "." in pattern and "0" not in pattern else whole.count("0")
    return Shape(found[1], found[5], least, len(some), len(some + more), group)


def by_pattern(value: Number, pattern: str) -> str:
    """By a pattern of DecimalFormat."""
    form = shape(pattern)
    if isinstance(value, float) and not math.isfinite(value):
        return by_places(value, 0) or ""
    text = f"{rounded(Decimal(value), form.most, ROUND_HALF_EVEN):f}"
    sign = "-" if text.startswith("-") else ""
    whole, _, rest = text.removeprefix("-").partition(".")
    rest = rest[: form.some] + rest[form.some :].rstrip("0")
    whole = whole.lstrip("0").rjust(form.least, "0")
    if not whole and not rest:
        whole = "0"
    body = (grouped(whole, form.group) if form.group else whole) + (f".{rest}" if rest else "")
    return sign + form.before + body + form.after


def _numbered(args: Sequence[Expr], settings: Settings) -> Typed:
    how = TEXT if len(args) == 2 and isinstance(args[1].type, t.StringType) else INT
    return resolver("format_number", (NUMBER, how), t.STRING, null=True)(args, settings)


@scalar("format_number", resolve=_numbered)
def format_number(at: At, value: pl.Expr, form: pl.Expr) -> pl.Expr:
    if at.types[1] == t.STRING:
        return each(lambda x, how: by_pattern(x, how) if how else by_places(x, 0), t.STRING,
                    value, form)  # fmt: skip
    return each(by_places, t.STRING, value, form)


# ---- format_string -------------------------------------------------------------------------------

_SPEC = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.(\d+))?([tT]?[a-zA-Z%])")
_BITS: dict[t.DataType, int] = {t.BYTE: 8, t.SHORT: 16, t.INT: 32, t.LONG: 64}


@dataclass(frozen=True)
class Spec:
    """One place of a format: which argument, and how."""

    place: int
    flags: str
    width: int
    precision: int | None
    letter: str

    def padded(self, text: str) -> str:
        """In its width, which counts characters beyond 65535 twice."""
        width = self.width - sum(char > "\uffff" for char in text)
        return text.ljust(width) if "-" in self.flags else text.rjust(width)


@lru_cache(256)
def specs(form: str) -> tuple[str | Spec, ...]:
    """A format as texts and places."""
    found: list[str | Spec] = []
    at, following = 0, 0
    while at < len(form):
        stop = form.find("%", at)
        if stop < 0:
            found.append(form[at:])
            break
        found.append(form[at:stop])
        match = _SPEC.match(form, stop)
        if match is None:
            fail("INVALID_PARAMETER_VALUE", f"the format {form} has a % that means nothing")
        at = match.end()
        letter = match[5]
        if letter in "%n":
            found.append("%".rjust(int(match[3] or 0)) if letter == "%" else "\n")
            continue
        place = following
        if match[1]:
            place = int(match[1]) - 1
        elif "<" in match[2]:
            place = max(following - 1, 0)
        else:
            following += 1
        precision = None if match[4] is None else int(match[4])
        found.append(Spec(place, match[2], int(match[3] or 0), precision, letter))
    return tuple(found)


def _general(spec: Spec, value: Any) -> str:
    text = "null" if value is None else str(value)
    if spec.letter in "bB":
        text = str(value).lower() if isinstance(value, bool) else str(value is not None).lower()
    return spec.padded(text if spec.precision is None else text[: spec.precision])


def _signed(spec: Spec, negative: bool, digits: str) -> str:
    """Digits with sign, zeros and width."""
    flags = spec.flags
    sign, end = (
        ("-", "") if negative else ("+" if "+" in flags else " " if " " in flags else "", "")
    )
    if negative and "(" in flags:
        sign, end = "(", ")"
    if "0" in flags:
        digits = digits.rjust(spec.width - len(sign + end), "0")
    return spec.padded(sign + digits + end)


def _whole(spec: Spec, value: int, bits: int) -> str:
    if spec.letter == "d":
        digits = str(abs(value))
        return _signed(spec, value < 0, grouped(digits) if "," in spec.flags else digits)
    own = value % (1 << bits)
    text = f"{own:o}" if spec.letter == "o" else f"{own:x}"
    if "#" in spec.flags:
        text = ("0" if spec.letter == "o" else "0x") + text
    return spec.padded(text.rjust(spec.width, "0") if "0" in spec.flags else text)


def _real(spec: Spec, value: float) -> str:
    if math.isnan(value):
        return spec.padded("NaN")
    if math.isinf(value):
        word = "Infinity" if value > 0 else "(Infinity)" if "(" in spec.flags else "-Infinity"
        return spec.padded("+" + word if value > 0 and "+" in spec.flags else word)
    places = 6 if spec.precision is None else spec.precision
    exact = abs(Decimal(repr(value)))
    negative = math.copysign(1, value) < 0
    if spec.letter in "eE":
        power = exact.adjusted() if exact else 0
        lead = rounded(exact.scaleb(-power), places, ROUND_HALF_UP)
        if lead >= 10:
            lead, power = rounded(lead / 10, places, ROUND_HALF_UP), power + 1
        return _signed(spec, negative, f"{lead:f}e{'-' if power < 0 else '+'}{abs(power):02}")
    whole, _, rest = f"{rounded(exact, places, ROUND_HALF_UP):f}".partition(".")
    digits = (grouped(whole) if "," in spec.flags else whole) + (f".{rest}" if rest else "")
    return _signed(spec, negative, digits)


def _placed(spec: Spec, value: Any, kind: t.DataType) -> str:
    """One argument as its place wants it."""
    low = spec.letter.lower()
    if value is None and low in "dxofec":
        text = spec.padded("null"[: spec.precision] if spec.precision is not None else "null")
    elif low in "sb":
        text = _general(spec, value)
    elif low in "dxo" and kind in _BITS and spec.letter not in "DO":
        text = _whole(spec if low != "x" else _lower(spec), value, _BITS[kind])
    elif low in "fe" and isinstance(value, float) and spec.letter != "F":
        text = _real(spec, value)
    elif low == "c" and kind in (t.BYTE, t.SHORT, t.INT) and 0 <= value < 0x110000:
        text = spec.padded(chr(value))
    elif low in "dxofec":
        fail("INVALID_PARAMETER_VALUE", f"%{spec.letter} cannot write {kind.simpleString()}")
    else:
        raise NotImplementedError(f"%{spec.letter} in format_string")
    return text.upper() if spec.letter.isupper() else text


def _lower(spec: Spec) -> Spec:
    return Spec(spec.place, spec.flags, spec.width, spec.precision, spec.letter.lower())


def _formatted(args: Sequence[Expr], settings: Settings) -> Typed:
    """What %s alone writes is cast to text, so that it is text as SQL has it."""
    if not args:
        raise Mismatch(
            "format_string takes at least 1 argument", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    form = coerced("format_string", args[:1], (TEXT,), None, None)[0]
    values = list(args[1:])
    known = form.value if isinstance(form, Literal) else None
    uses: dict[int, set[str]] = {}
    for each_ in specs(known) if isinstance(known, str) else ():
        if isinstance(each_, Spec):
            uses.setdefault(each_.place, set()).add(each_.letter.lower())
    for place, value in enumerate(values):
        plain = isinstance(value.type, (t.StringType, t.IntegralType, t.NullType))
        if plain or uses.get(place, {"s"} if known is not None else set()) <= {
            "d",
            "x",
            "o",
            "f",
            "e",
            "b",
            "c",
        }:
            continue
        if known is None or uses.get(place, set()) - {"s"}:
            raise NotImplementedError(
                f"format_string of a {value.type.simpleString()} with a format that is not "
                "constant, or that has it twice; cast it to string"
            )
        if not isinstance(value.type, t.AtomicType):
            raise NotImplementedError("format_string of arrays, maps and structs; use to_json")
        values[place] = implied(value, t.STRING)
    most = max(uses, default=-1)
    if most >= len(values):
        raise Mismatch(
            f"the format wants {most + 1} arguments", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"
        )
    return (form, *values), t.STRING, form.nullable


@scalar("format_string", "printf", resolve=_formatted)
def format_string(at: At, form: pl.Expr, *values: pl.Expr) -> pl.Expr:
    kinds = at.types[1:]

    def one(how: str | None, *given: Any) -> str | None:
        if how is None:
            return None
        found = []
        for spec in specs(how):
            if isinstance(spec, str):
                found.append(spec)
            elif spec.place >= len(given):
                fail("INVALID_PARAMETER_VALUE", f"the format {how} wants more arguments")
            else:
                found.append(_placed(spec, given[spec.place], kinds[spec.place]))
        return "".join(found)

    return by_row(one, t.STRING, form, *values)
