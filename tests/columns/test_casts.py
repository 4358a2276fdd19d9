"""Casts between all types in all modes: the answers that PySpark gave."""

from __future__ import annotations

import pytest
from num_asking import RECORDED, answered, wrong
from num_cases import Case, call, cast, casts, lit

from planner.columns import types as t
from planner.columns.casting import cast as built
from planner.columns.expressions import Call, Literal, Name
from planner.columns.functions.registry import Settings

# Moments that Python's datetime cannot hold: see test_a_moment_too_large_for_python.
BEYOND = {"double: try_cast(x as timestamp) ansi", "float: try_cast(x as timestamp) ansi"}


def test_there_is_much_to_compare() -> None:
    assert sum(case.key in RECORDED for case in casts()) > 1200


@pytest.mark.parametrize("part", range(8))
def test_casts_are_pysparks(part: int) -> None:
    cases = [case for case in casts() if case.key not in BEYOND]
    found = wrong(cases[part::8])
    assert not found, "\n".join(found)


def test_a_wrong_answer_would_be_seen() -> None:
    case = Case("goodnumbers", cast("x", "int"))
    assert wrong([case]) == []
    RECORDED[case.key], kept = ["int", [0] * 6], RECORDED[case.key]
    try:
        assert len(wrong([case])) == 1
    finally:
        RECORDED[case.key] = kept


def test_an_interval_is_refused_by_name() -> None:
    import polars as pl

    with pytest.raises(NotImplementedError, match="interval day to second"):
        built(pl.lit("x"), t.STRING, t.DayTimeIntervalType(), "ansi", Settings())


def test_a_cast_is_not_made_where_it_is_not_asked_for() -> None:
    """The branch of a choice that a row does not take cannot fail for it."""
    digits = Call("in", (Name(("x",)), lit("1", "string"), lit("00012", "string")))
    found = answered(Case("string", call("if", digits, cast("x", "int"), lit(0))))
    assert found[0] == "int"
    assert {1, 0, 12} == set(found[1])
    assert answered(Case("string", cast("x", "int"))) == "CAST_INVALID_INPUT"
    both = call("and", digits, call(">", cast("x", "int"), 1))
    assert answered(Case("string", both))[1].count(True) == 1


def test_null_is_of_every_type() -> None:
    for kind in ("int", "decimal(10,2)", "array<int>", "date", "struct<a:int;b:string>"):
        found = answered(Case("goodnumbers", cast(Literal(None, t.NULL), kind)))
        assert set(map(str, found[1])) == {"None"}
