"""What words sound like, how near they are, and how they are hidden."""

from __future__ import annotations

from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.functions.elements import by_row
from planner.columns.functions.registry import ANY, INT, TEXT, At, scalar
from planner.columns.functions.rowwise import absent, each

_SOUNDS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "01230127022455012623017202", strict=True))


def soundex_of(text: str) -> str:
    """A letter and three digits; text that does not begin with a letter stays as it is. H and W do
    not separate equal sounds, vowels do."""
    upper = (
        text.upper()
        if text.isascii()
        else "".join(char.upper() if char.isascii() else char for char in text)
    )
    if not upper or upper[0] not in _SOUNDS:
        return text
    found, last = upper[0], _SOUNDS[upper[0]]
    for char in upper[1:]:
        code = _SOUNDS.get(char)
        if code is None:
            last = "0"
        elif code == "7":
            continue
        else:
            if code not in ("0", last):
                found += code
                if len(found) == 4:
                    return found
            last = code
    return f"{found:0<4}"


@scalar("soundex", takes=(TEXT,), gives=t.STRING)
def soundex(at: At, text: pl.Expr) -> pl.Expr:
    return each(soundex_of, t.STRING, text)


def distance(a: str, b: str, most: int | None = None) -> int:
    """Levenshtein's distance; -1 if it is more than `most`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1] if most is None or row[-1] <= most else -1


@scalar("levenshtein", takes=(TEXT, TEXT, INT), gives=t.INT, least=2)
def levenshtein(at: At, a: pl.Expr, b: pl.Expr, most: pl.Expr | None = None) -> pl.Expr:
    return each(distance, t.INT, a, b, *([] if most is None else [most]))


def _units(text: str) -> list[bytes]:
    """The 16-bit units of a text, which are what is compared."""
    data = text.encode("utf-16-le")
    return [data[at : at + 2] for at in range(0, len(data), 2)]


def likeness(one: str, other: str) -> float:
    """Jaro's similarity, with Winkler's bonus for up to four equal first letters."""
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    a, b = _units(one), _units(other)
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    taken = [False] * len(b)
    left: list[bytes] = []
    for i, char in enumerate(a):
        for j in range(max(0, i - reach), min(len(b), i + reach + 1)):
            if not taken[j] and b[j] == char:
                taken[j] = True
                left.append(char)
                break
    if not left:
        return 0.0
    right = [char for char, hit in zip(b, taken, strict=True) if hit]
    swaps = sum(x != y for x, y in zip(left, right, strict=True)) / 2.0
    n = float(len(left))
    jaro = (n / len(a) + n / len(b) + (n - swaps) / n) / 3.0
    prefix = 0
    while prefix < min(4, len(a), len(b)) and a[prefix] == b[prefix]:
        prefix += 1
    return jaro + prefix * 0.1 * (1.0 - jaro)


@scalar("jaro_winkler_similarity", takes=(TEXT, TEXT), gives=t.DOUBLE)
def jaro_winkler_similarity(at: At, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return each(likeness, t.DOUBLE, a, b)


def masked(text: str | None, upper: str | None, lower: str | None, digit: str | None,
           other: str | None) -> str | None:  # fmt: skip
    """Each character as the one that stands for its kind; None leaves a kind as it is."""
    if text is None:
        return None
    found = []
    for char in text:
        if char.isupper():
            found.append(char if upper is None else upper)
        elif char.islower():
            found.append(char if lower is None else lower)
        elif char.isdecimal():
            found.append(char if digit is None else digit)
        else:
            found.append(char if other is None else other)
    return "".join(found)


@scalar("mask", takes=(TEXT, TEXT, TEXT, TEXT, TEXT), gives=t.STRING, least=1)
def mask(at: At, text: pl.Expr, *signs: pl.Expr) -> pl.Expr:
    usual: list[Any] = [pl.lit("X"), pl.lit("x"), pl.lit("n"), pl.lit(None, dtype=pl.String)]
    return by_row(masked, t.STRING, text, *signs, *usual[len(signs) :])


def luhn(text: str) -> bool:
    """Whether the last digit is that of Luhn's sum."""
    if not text or not (text.isascii() and text.isdigit()):
        return False
    total = 0
    for place, char in enumerate(reversed(text)):
        value = int(char) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@scalar("luhn_check", takes=(TEXT,), gives=t.BOOLEAN)
def luhn_check(at: At, text: pl.Expr) -> pl.Expr:
    return each(luhn, t.BOOLEAN, text)


@scalar("quote", takes=(TEXT,), gives=t.STRING)
def quote(at: At, text: pl.Expr) -> pl.Expr:
    escaped = text.str.replace_all("'", "\\'", literal=True)
    return pl.concat_str(pl.lit("'"), escaped, pl.lit("'"))


@scalar("collation", takes=(ANY,), gives=t.STRING, null=False)
def collation(at: At, text: pl.Expr) -> pl.Expr:
    return pl.lit("SYSTEM.BUILTIN.UTF8_BINARY")


absent("sentences", "split")
absent("collate", "lower or upper on both sides")
absent("randstr")
