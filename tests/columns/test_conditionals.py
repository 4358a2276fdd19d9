"""Comparisons, three-valued logic and choices: the answers that PySpark gave."""

from __future__ import annotations

import pytest
from num_asking import RECORDED, answered, wrong
from num_cases import Case, call, conditionals, lit


def test_there_is_much_to_compare() -> None:
    assert sum(case.key in RECORDED for case in conditionals()) > 350


@pytest.mark.parametrize("part", range(4))
def test_conditionals_are_pysparks(part: int) -> None:
    found = wrong(list(conditionals())[part::4])
    assert not found, "\n".join(found)


def test_what_is_not_asked_for_cannot_fail() -> None:
    """As in Spark, the later parts of AND, OR, COALESCE and IF are left where they do not count."""
    zero, divided = call("=", "y", 0), call("/", "x", "y")
    for expr in (
        call("if", zero, lit(0.0, "double"), divided),
        call("and", call("not", zero), call(">", divided, 1)),
        call("or", zero, call(">", divided, 1)),
        call("coalesce", call("if", zero, lit(1.5, "double"), lit(None, "double")), divided),
    ):
        assert answered(Case("rows zero", expr)) != "DIVIDE_BY_ZERO"
    assert answered(Case("rows zero", divided)) == "DIVIDE_BY_ZERO"


def test_raise_error_is_left_where_no_row_asks() -> None:
    fine = call("if", call(">", "y", 100), call("raise_error", lit("no", "string")), "x")
    assert answered(Case("rows zero", fine)) == ["int", [1, 6, 0, None]]
    text = call("assert_true", call("=", "x", 1), lit("the x's", "string"))
    assert answered(Case("rows zero", text)) == "USER_RAISED_EXCEPTION"
