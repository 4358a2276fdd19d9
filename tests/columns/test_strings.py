"""Functions of text against PySpark's recorded answers: nulls, unicode, empty text, errors."""

from __future__ import annotations

from typing import Any

import pytest
from asked import answer, key, recorded
from text_cases import TEXT_CASES

from planner.columns.functions import strings, wording

ABOUT_PATTERNS = ("rlike", "regexp", "like", "ilike", "split(")
CASES = [case for case in TEXT_CASES if not case[3].startswith(ABOUT_PATTERNS)]
# Java names an argument's class where we have a code
OTHER_CODE = ("format_string('%b %c'", "printf('%.1f', m)", "format_string('%d'")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[3])
def test_as_pyspark(case: tuple[str, str, bool, str]) -> None:
    wanted = recorded()[key(case)]
    if case[3].startswith("sentences"):
        with pytest.raises(NotImplementedError, match="sentences"):
            answer(*case)
        return
    found = answer(*case)
    if case[3].startswith(OTHER_CODE):
        assert isinstance(wanted, str)
        assert found == "INVALID_PARAMETER_VALUE"
    else:
        assert same(found, wanted)


def same(found: Any, wanted: Any) -> bool:
    """Equal; of error classes the first part is enough."""
    if isinstance(found, str) and isinstance(wanted, str):
        return found.split(".")[0] == wanted.split(".")[0]
    return bool(found == wanted)


@pytest.mark.parametrize(
    ("text", "mark", "count", "found"),
    [("a.b.c", ".", 2, "a.b"), ("a.b.c", ".", -1, "c"), ("aaaa", "aa", -1, ""), ("x", "", 1, "")],
)
def test_substring_index(text: str, mark: str, count: int, found: str) -> None:
    assert strings.before(text, mark, count) == found


def test_soundex_joins_equal_sounds_over_h_and_w_but_not_over_vowels() -> None:
    assert [wording.soundex_of(x) for x in ("Ashcraft", "Tymczak", "a")] == ["A261", "T522", "A000"]
