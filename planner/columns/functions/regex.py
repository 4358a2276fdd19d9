"""Regular expressions, and LIKE."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import polars as pl

from planner.columns import types as t
from planner.columns.functions.elements import by_batch
from planner.columns.functions.patterns import ENDS, BadPattern, JavaRegex, java, replacement
from planner.columns.functions.registry import INT, TEXT, At, scalar
from planner.columns.functions.rowwise import each, fail

_ENDED = f"[{ENDS}]\\z"
Native = Callable[[pl.Expr], pl.Expr]
Slow = Callable[..., Any]


def read(pattern: str) -> JavaRegex:
    """A pattern, or the query's failure."""
    try:
        return java(pattern)
    except BadPattern as error:
        fail("INVALID_PARAMETER_VALUE.PATTERN", f"a bad regular expression: {error}")


def run(
    at: At,
    text: pl.Expr,
    pattern: pl.Expr,
    native: Callable[[JavaRegex], Native | None],
    slow: Slow,
    *more: pl.Expr,
) -> pl.Expr:
    """`native` gives Polars' own way for a constant pattern, if there is one; `slow` is a function
    of (pattern read, text, *more) for all else."""

    def one(value: str, regex: str, *others: Any) -> Any:
        return slow(read(regex), value, *others)

    known = at.values[1]
    if known is None:
        return each(one, at.type, text, pattern, *more)
    regex = read(known)
    fast = None if regex.rust is None else native(regex)
    by_hand = each(lambda value, *others: slow(regex, value, *others), at.type, text, *more)
    if fast is None:
        return by_hand
    if not regex.last:
        return fast(text)
    quick = fast

    def batch(texts: pl.Series, *others: pl.Series) -> pl.Series:
        frame = pl.DataFrame([s.alias(str(i)) for i, s in enumerate((texts, *others))])
        own = [pl.col(name) for name in frame.columns]
        if texts.str.contains(_ENDED).any():
            found = each(lambda value, *rest: slow(regex, value, *rest), at.type, *own)
        else:
            found = quick(own[0])
        return frame.select(found.alias("found"))["found"]

    return by_batch(batch, at.type, text, *more)


@scalar("rlike", "regexp", "regexp_like", takes=(TEXT, TEXT), gives=t.BOOLEAN)
def rlike(at: At, text: pl.Expr, pattern: pl.Expr) -> pl.Expr:
    def native(regex: JavaRegex) -> Native:
        assert regex.rust is not None
        source = regex.rust
        return lambda value: value.str.contains(source)

    return run(at, text, pattern, native, lambda r, value: bool(r.compiled.search(value)))


# ---- finding -------------------------------------------------------------------------------------


def group(regex: JavaRegex, index: int) -> int:
    """The number of a group, or the query's failure."""
    if not 0 <= index <= regex.groups:
        fail(
            "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
            f"the pattern has {regex.groups} groups, there is no group {index}",
        )
    return index


@scalar("regexp_extract", takes=(TEXT, TEXT, INT), gives=t.STRING, least=2)
def regexp_extract(
    at: At, text: pl.Expr, pattern: pl.Expr, index: pl.Expr | None = None
) -> pl.Expr:
    """The group of the first match; empty text if there is none."""
    index = pl.lit(1, dtype=pl.Int32) if index is None else index
    wanted = at.values[2] if len(at.values) > 2 else 1

    def native(regex: JavaRegex) -> Native | None:
        if wanted is None:
            return None
        source, place = regex.rust, group(regex, wanted)
        assert source is not None

        def made(value: pl.Expr) -> pl.Expr:
            found = value.str.extract(source, place).fill_null("")
            return pl.when(value.is_not_null()).then(found)

        return made

    def slow(regex: JavaRegex, value: str, place: int) -> str:
        group(regex, place)
        found = regex.compiled.search(value)
        return (found[place] or "") if found else ""

    return run(at, text, pattern, native, slow, index)


@scalar("regexp_extract_all", takes=(TEXT, TEXT, INT), gives=t.ArrayType(t.STRING), least=2)
def regexp_extract_all(
    at: At, text: pl.Expr, pattern: pl.Expr, index: pl.Expr | None = None
) -> pl.Expr:
    index = pl.lit(1, dtype=pl.Int32) if index is None else index
    wanted = at.values[2] if len(at.values) > 2 else 1

    def native(regex: JavaRegex) -> Native | None:
        source = regex.rust
        if wanted != 0 or regex.empty or source is None:
            return None
        return lambda value: value.str.extract_all(source)

    def slow(regex: JavaRegex, value: str, place: int) -> list[str]:
        group(regex, place)
        return [found[place] or "" for found in regex.compiled.finditer(value)]

    return run(at, text, pattern, native, slow, index)


@scalar("regexp_count", takes=(TEXT, TEXT), gives=t.INT)
def regexp_count(at: At, text: pl.Expr, pattern: pl.Expr) -> pl.Expr:
    def native(regex: JavaRegex) -> Native | None:
        source = regex.rust
        if regex.empty or source is None:
            return None
        return lambda value: value.str.count_matches(source).cast(pl.Int32)

    def slow(regex: JavaRegex, value: str) -> int:
        return sum(1 for _ in regex.compiled.finditer(value))

    return run(at, text, pattern, native, slow)


def _some(text: pl.Expr) -> pl.Expr:
    """Empty text as NULL."""
    return pl.when(text != "").then(text)


@scalar("regexp_substr", takes=(TEXT, TEXT), gives=t.STRING)
def regexp_substr(at: At, text: pl.Expr, pattern: pl.Expr) -> pl.Expr:
    def native(regex: JavaRegex) -> Native:
        source = regex.rust
        assert source is not None
        return lambda value: _some(value.str.extract(source, 0))

    def slow(regex: JavaRegex, value: str) -> str | None:
        found = regex.compiled.search(value)
        return (found[0] or None) if found else None

    return run(at, text, pattern, native, slow)


@scalar("regexp_instr", takes=(TEXT, TEXT, INT), gives=t.INT, least=2)
def regexp_instr(at: At, text: pl.Expr, pattern: pl.Expr, index: pl.Expr | None = None) -> pl.Expr:
    """Where the first match begins, from 1; the group does not matter."""

    def slow(regex: JavaRegex, value: str, *_: int) -> int:
        found = regex.compiled.search(value)
        return found.start() + 1 if found else 0

    return run(at, text, pattern, lambda regex: None, slow, *([] if index is None else [index]))


# ---- replacing and splitting ---------------------------------------------------------------------


def parts_of(text: str, regex: JavaRegex) -> list[str | int]:
    """A replacement read, or the query's failure."""
    try:
        return replacement(text, regex)
    except (IndexError, BadPattern) as error:
        fail("INVALID_REGEXP_REPLACE", f"a bad replacement {text}: {error}")


@scalar("regexp_replace", takes=(TEXT, TEXT, TEXT, INT), gives=t.STRING, least=3)
def regexp_replace(
    at: At, text: pl.Expr, pattern: pl.Expr, new: pl.Expr, start: pl.Expr | None = None
) -> pl.Expr:
    known = at.values[2]

    def native(regex: JavaRegex) -> Native | None:
        source = regex.rust
        if known is None or start is not None or regex.empty or source is None:
            return None
        try:
            parts = replacement(known, regex)
        except (IndexError, BadPattern):
            return None  # it may match nowhere: only a match makes it an error
        rust = "".join(f"${{{x}}}" if isinstance(x, int) else x.replace("$", "$$") for x in parts)
        return lambda value: value.str.replace_all(source, rust)

    def slow(regex: JavaRegex, value: str, by: str, begin: int = 1) -> str:
        def put(found: re.Match[str]) -> str:
            parts = parts_of(by, regex)
            return "".join((found[x] or "") if isinstance(x, int) else x for x in parts)

        if begin > len(value) and begin > 1:
            return value
        head, tail = value[: max(begin - 1, 0)], value[max(begin - 1, 0) :]
        return head + regex.compiled.sub(put, tail)

    return run(at, text, pattern, native, slow, new, *([] if start is None else [start]))


def cut(regex: JavaRegex, text: str, limit: int = -1) -> list[str]:
    """Java's split: a match of nothing at the beginning does not count."""
    found: list[str] = []
    begin = 0
    for match in regex.compiled.finditer(text):
        if 0 < limit == len(found) + 1:
            break
        if match.end() == 0:
            continue
        found.append(text[begin : match.start()])
        begin = match.end()
    return [*found, text[begin:]]


@scalar("split", takes=(TEXT, TEXT, INT), gives=t.ArrayType(t.STRING, False), least=2)
def split(at: At, text: pl.Expr, pattern: pl.Expr, limit: pl.Expr | None = None) -> pl.Expr:
    known = at.values[1]
    most = -1 if limit is None else at.values[2]
    plain = _plain(known) if isinstance(known, str) else None
    if plain and most is not None and most <= 0:
        return text.str.split(plain)

    def slow(regex: JavaRegex, value: str, count: int = -1) -> list[str]:
        if regex == java("") and value:
            letters = list(value)
            return (
                letters
                if not 0 < count < len(letters)
                else [*letters[: count - 1], "".join(letters[count - 1 :])]
            )
        return cut(regex, value, count)

    return run(at, text, pattern, lambda regex: None, slow, *([] if limit is None else [limit]))


def _plain(pattern: str) -> str | None:
    """The text that a pattern without anything special stands for."""
    bare = re.sub(r"\\([^A-Za-z0-9])|\[([^\]\[\\^&])\]", r"\1\2", pattern)
    special = re.sub(r"\\[^A-Za-z0-9]|\[[^\]\[\\^&]\]", "", pattern)
    return None if re.search(r"[\\.\[\]{}()*+?^$|]", special) else bare


# ---- LIKE ----------------------------------------------------------------------------------------


@lru_cache(512)
def tokens(pattern: str, escape: str) -> tuple[str, ...]:
    """A pattern of LIKE as '%', '_' and texts that begin with '='."""
    found: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == escape:
            if at == len(pattern):
                fail("INVALID_FORMAT.ESC_AT_THE_END", f"LIKE {pattern} ends with its escape")
            char = pattern[at]
            at += 1
            if char not in ("%", "_", escape):
                where = f"LIKE {pattern} has its escape before {char}"
                fail("INVALID_FORMAT.ESC_IN_THE_MIDDLE", where)
        elif char in "%_":
            found.append(char)
            continue
        if found and found[-1][0] == "=":
            found[-1] += char
        else:
            found.append("=" + char)
    return tuple(found)


def as_regex(found: tuple[str, ...]) -> str:
    """The tokens as a regular expression of Python's and Rust's."""
    signs = {"%": ".*", "_": "."}
    return "(?s)" + "".join(signs[x] if x[0] != "=" else _quoted(x[1:]) for x in found)


def _quoted(text: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$#&~-])", r"\\\1", text)


def _like(at: At, text: pl.Expr, pattern: pl.Expr, escape: pl.Expr | None) -> pl.Expr:
    known = at.values[1]
    mark = "\\" if escape is None else at.values[2]
    if known is None or mark is None:
        return each(
            lambda value, like, esc="\\": bool(re.fullmatch(as_regex(tokens(like, esc)), value)),
            t.BOOLEAN,
            *(x for x in (text, pattern, escape) if x is not None),
        )
    found = tokens(known, mark)
    shape = "".join(x[0] for x in found)
    word = next((x[1:] for x in found if x[0] == "="), "")
    match shape:
        case "":
            return text == ""
        case "=":
            return text == pl.lit(word)
        case "%":
            return pl.when(text.is_not_null()).then(True)
        case "=%":
            return text.str.starts_with(word)
        case "%=":
            return text.str.ends_with(word)
        case "%=%":
            return text.str.contains(word, literal=True)
    return text.str.contains(f"\\A(?:{as_regex(found)})\\z")


@scalar("like", takes=(TEXT, TEXT, TEXT), gives=t.BOOLEAN, least=2)
def like(at: At, text: pl.Expr, pattern: pl.Expr, escape: pl.Expr | None = None) -> pl.Expr:
    return _like(at, text, pattern, escape)


@scalar("ilike", takes=(TEXT, TEXT, TEXT), gives=t.BOOLEAN, least=2)
def ilike(at: At, text: pl.Expr, pattern: pl.Expr, escape: pl.Expr | None = None) -> pl.Expr:
    values = tuple(x.lower() if isinstance(x, str) else x for x in at.values)
    lowered = At(at.type, at.types, values, at.settings, at.args)
    return _like(lowered, text.str.to_lowercase(), pattern.str.to_lowercase(), escape)
