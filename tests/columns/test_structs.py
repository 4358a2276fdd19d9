"""Structs give PySpark's values and types (recorded_structs.json)."""

from __future__ import annotations

from typing import Any

import pytest
from collections_peer import (
    aliased,
    assert_same,
    call,
    col,
    our_answer,
    part,
    questions,
    recorded,
)

st, deep, i, w, sa = map(col, ("st", "deep", "i", "w", "sa"))

QUESTIONS = questions(
    call("struct", i, w),
    call("struct", i, 5),
    call("struct", aliased(call("+", i, 1), "up"), part(st, "q")),
    call("struct", call("+", i, 1)),
    call("named_struct", "x", i, "y", call("array", w)),
    call("named_struct", "x"),
    call("named_struct", w, i),
    call("struct", st, deep),
    part(st, "nothing"),
    part(i, "p"),
    part(call("named_struct", "x", 1, "y", "z"), "y"),
    part(part(deep, "u"), "p"),
    part(sa, "q"),
    call("array", call("struct", i, w), call("struct", i, w)),
)
EXPECTED = recorded("structs")


@pytest.mark.parametrize("key", QUESTIONS)
def test_as_pyspark(key: str) -> None:
    question, ansi = QUESTIONS[key]
    assert_same(question, ansi, EXPECTED[key])


# What Column.withField and Column.dropFields give in PySpark; SQL has no words for them.
CHANGED: list[tuple[Any, str, Any]] = [
    (call("with_field", st, "r", i), "struct<p:int,q:string,r:int>", [1, "one", 1]),
    (call("with_field", st, "P", "new"), "struct<P:string,q:string>", ["new", "one"]),
    (call("with_field", deep, "u.p", 9), "struct<u:struct<p:int,v:double>>", [{"p": 9, "v": 2.5}]),
    (
        call("with_field", deep, "u.z", w),
        "struct<u:struct<p:int,v:double,z:string>>",
        [{"p": 1, "v": 2.5, "z": "a"}],
    ),
    (call("drop_fields", st, "p"), "struct<q:string>", ["one"]),
    (call("drop_fields", st, "Q", "none"), "struct<p:int>", [1]),
    (call("drop_fields", deep, "u.p"), "struct<u:struct<v:double>>", [{"v": 2.5}]),
]


@pytest.mark.parametrize("place", range(len(CHANGED)))
def test_other_fields(place: int) -> None:
    question, kind, first = CHANGED[place]
    found = our_answer(question)
    assert text_of_type(found["type"]) == kind
    assert list(found["values"][0].values()) == first
    assert found["values"][2] is None  # no struct, no fields


def test_a_struct_keeps_a_field() -> None:
    assert our_answer(call("drop_fields", st, "p", "q")) == {
        "error": "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS"
    }


def text_of_type(value: Any) -> str:
    from planner.columns import types as t

    return t.from_json(value).simpleString()
