"""Regular expressions and LIKE against PySpark's recorded answers, and Java's syntax."""

from __future__ import annotations

import polars as pl
import pytest
from asked import answer, key, recorded
from text_cases import TEXT_CASES

from planner.columns.functions.patterns import BadPattern, java, replacement

ABOUT_PATTERNS = ("rlike", "regexp", "like", "ilike", "split(")
CASES = [case for case in TEXT_CASES if case[3].startswith(ABOUT_PATTERNS)]
# Java matches nothing in the middle of a character beyond 65535 too, and breaks it
WITH_HALVES = (
    "split(s, 'a*')",
    "regexp_extract_all(s, 'x*', 0)",
    "regexp_replace(s, 'x*', '-')",
    "regexp_replace(s, 'a*', '-')",
    "regexp_count(s, 'a*')",
)
EMOJI = 6  # the row that has one


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[3])
def test_as_pyspark(case: tuple[str, str, bool, str]) -> None:
    wanted, found = recorded()[key(case)], answer(*case)
    if case[3] in WITH_HALVES:
        assert found[1].pop(EMOJI) != wanted[1][EMOJI]
        wanted = [wanted[0], wanted[1][:EMOJI] + wanted[1][EMOJI + 1 :]]
    assert found == wanted


PATTERNS = [
    (r"a\d{2,}+b", "a123b", True),
    (r"^\Qa.b\E$", "a.b\n", True),
    (r"a$", "a\r\n", True),
    (r"a$", "a\n\n", False),
    (r"(?i)straße", "STRASSE", False),
    (r"(?i:AB)c", "abC", False),
    (r"(a)|\1b", "b", False),
    (r"[^\s\d]", "1 2", False),
    (r"[a-c&&[b]]", "ac", False),
    (r"\p{IsAlphabetic}", "é", True),
    (r"\w", "é", False),
    (r"x{0}y", "y", True),
    (r"(?x) a b # c", "ab", True),
    (r".", "\u2028", False),
    (r"\R", "\r\n", True),
    (r"(?<year>\d{4})-\k<year>", "2024-2024", True),
]


@pytest.mark.parametrize(("pattern", "text", "found"), PATTERNS)
def test_java_syntax(pattern: str, text: str, found: bool) -> None:
    """What Java 17 finds (asked by hand), by whichever engines can say it."""
    read = java(pattern)
    assert read.rust or read.python
    if read.rust and not read.last:
        assert pl.Series([text]).str.contains(read.rust).to_list() == [found]
    if read.python:
        assert bool(read.compiled.search(text)) is found


@pytest.mark.parametrize("pattern", ["(", ")", "[a", "*a", r"\y", "a{x}", r"(?<n>a)\k<m>", "(?q)"])
def test_bad_patterns(pattern: str) -> None:
    with pytest.raises(BadPattern):
        java(pattern)


def test_what_no_engine_can_do_says_so() -> None:
    with pytest.raises(NotImplementedError, match="look-around"):
        _ = java(r"(?<=\p{L})x").compiled


def test_replacements() -> None:
    read = java("(a)(?<b>b)")
    assert replacement(r"\$$1-${b}$22", read) == ["$", 1, "-", 2, 2, "2"]
    with pytest.raises(IndexError):
        replacement("$3", read)
