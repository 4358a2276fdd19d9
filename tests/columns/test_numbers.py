"""Operators and functions on numbers: the answers that PySpark gave."""

from __future__ import annotations

import decimal
from decimal import Decimal

import polars as pl
import pytest
from num_asking import RECORDED, answered, wrong
from num_cases import Case, arithmetic, call, lit, mathematics

from executors.relational.errors import QueryError, translated
from planner.columns.building import build
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.columns.types import LONG, DecimalType
from planner.columns.typing import AnalysisError, Scope, bind

_WIDE = decimal.Context(prec=90)


def test_there_is_much_to_compare() -> None:
    cases = [*arithmetic(), *mathematics()]
    assert sum(case.key in RECORDED for case in cases) > 1100


@pytest.mark.parametrize("part", range(4))
def test_operators_are_pysparks(part: int) -> None:
    found = wrong(list(arithmetic())[part::4])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("part", range(4))
def test_functions_are_pysparks(part: int) -> None:
    found = wrong(list(mathematics())[part::4], exact=False)
    assert not found, "\n".join(found)


def test_a_division_by_a_constant_is_a_division() -> None:
    """Polars would multiply by the inverse, which is a digit off."""
    x = Attr("x", LONG)
    typed = bind(call("/", "x", 10), Scope([x]))
    frame = pl.DataFrame({x.column: range(1000)})
    found = frame.select(build(typed, Settings()).alias("v"))["v"].to_list()
    assert found == [n / 10 for n in range(1000)]


def test_decimals_beyond_128_bits_are_exact() -> None:
    kind = DecimalType(38, 10)
    x, y = Attr("x", kind), Attr("y", kind)
    values = {x: Decimal("12345678901234567.1234567891"), y: Decimal("1234567.9876543219")}
    frame = pl.DataFrame(
        {a.column: pl.Series([v], dtype=pl.Decimal(38, 10)) for a, v in values.items()}
    )
    for sign in ("+", "-", "*", "/", "%"):
        typed = bind(call(sign, "x", "y"), Scope([x, y]))
        found = frame.select(build(typed, Settings()).alias("v"))["v"][0]
        assert isinstance(typed.type, DecimalType)
        exact = _exact(sign, values[x], values[y]).quantize(
            Decimal(1).scaleb(-typed.type.scale), "ROUND_HALF_UP", context=_WIDE
        )
        assert found == exact, sign


def _exact(sign: str, a: Decimal, b: Decimal) -> Decimal:
    sums = {"+": _WIDE.add, "-": _WIDE.subtract, "*": _WIDE.multiply, "/": _WIDE.divide}
    return sums.get(sign, _WIDE.remainder)(a, b)


def test_the_message_says_what_to_do() -> None:
    x = Attr("x", LONG)
    frame = pl.DataFrame({x.column: [1, 2**63 - 1]})
    typed = bind(call("+", "x", 1), Scope([x]))
    with pytest.raises(QueryError, match="try_") as caught, translated():
        frame.select(build(typed, Settings()))
    assert caught.value.code == "ARITHMETIC_OVERFLOW"


def test_seeds_make_the_same_numbers_again() -> None:
    case = Case("rows real", call("rand", lit(7)))
    first, second = answered(case), answered(case)
    assert first == second
    numbers = [float(each[2:]) for each in first[1]]
    assert all(0 <= n < 1 for n in numbers) and len(set(numbers)) == len(numbers)
    other = answered(Case("rows real", call("rand", lit(8))))
    assert other != first


def test_normal_numbers_are_normal() -> None:
    x = Attr("x", LONG)
    typed = bind(call("randn", lit(3)), Scope([x]))
    frame = pl.DataFrame({x.column: range(20000)})
    found = frame.with_columns(build(typed, Settings()).alias("v"))["v"]
    assert abs(float(found.mean() or 9)) < 0.03  # type: ignore[arg-type]
    assert abs(float(found.std() or 9) - 1) < 0.03  # type: ignore[arg-type]


def test_partitions_have_ids_of_their_own() -> None:
    x = Attr("x", LONG)
    frame = pl.DataFrame({x.column: range(3)})
    for name, wanted in (
        ("monotonically_increasing_id", [(5 << 33) + n for n in range(3)]),
        ("spark_partition_id", [5, 5, 5]),
    ):
        typed = bind(call(name), Scope([x]))
        found = frame.with_columns(build(typed, Settings(partition=5)).alias("v"))["v"]
        assert found.to_list() == wanted
    typed = bind(call("uuid"), Scope([x]))
    ids = frame.with_columns(build(typed, Settings()).alias("v"))["v"].to_list()
    assert len(set(ids)) == 3 and all(len(each) == 36 and each[14] == "4" for each in ids)


def test_a_seed_must_be_constant() -> None:
    with pytest.raises(AnalysisError, match="constant"):
        bind(call("rand", "x"), Scope([Attr("x", LONG)]))


def test_digits_must_be_constant() -> None:
    with pytest.raises(AnalysisError, match="constant"):
        bind(call("round", "x", "x"), Scope([Attr("x", LONG)]))
