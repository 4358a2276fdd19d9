"""Functions of dates and intervals against PySpark's recorded answers, in three time zones."""

from __future__ import annotations

import pytest
from asked import answer, key, recorded
from time_cases import OF_CLOCKS, TIME_CASES

CASES = [case for case in TIME_CASES if not case[3].startswith(OF_CLOCKS)]
# a year before 1: PySpark cannot make Python's date of it, and nor can we
NO_SUCH_YEAR = ("d - make_ym_interval(0, 1)", "date_sub(d, n)", "date_from_unix_date(3000000)")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]} {case[3]}")
def test_as_pyspark(case: tuple[str, str, bool, str]) -> None:
    wanted = recorded()[key(case)]
    if case[3] in NO_SUCH_YEAR:
        assert wanted == "JVM"
        with pytest.raises(ValueError, match="out of range"):
            answer(*case)
        return
    found = answer(*case)
    if isinstance(wanted, str) and isinstance(found, str):
        assert found.split(".")[0] == wanted.split(".")[0]
    else:
        assert found == wanted


def test_a_window_of_null_is_null() -> None:
    """A request leaves such rows out: tests/sql_queries/test_gaps.py."""
    assert None in answer("time", "UTC", True, "window(t, '1 day')")[1]


@pytest.mark.parametrize("text", ["", "x", "5", "1 month", "1 day 2", "1 fortnight"])
def test_bad_lengths_of_windows(text: str) -> None:
    found = answer("time", "UTC", True, f"window(u, '{text}')")
    assert found in ("CANNOT_PARSE_INTERVAL", "_LEGACY_ERROR_TEMP_3231")
