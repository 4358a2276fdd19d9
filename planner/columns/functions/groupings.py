"""grouping() and grouping_id(): which keys a row of grouping sets is over."""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns import types as t
from planner.columns.expressions import Expr
from planner.columns.functions.registry import TABLE, At, Grouping, Mismatch, Settings, Typed


def _grouping(args: Sequence[Expr], settings: Settings) -> Typed:
    if len(args) != 1:
        raise Mismatch(
            f"grouping takes 1 argument, and was given {len(args)}",
            "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        )
    return tuple(args), t.BYTE, False


def _grouping_id(args: Sequence[Expr], settings: Settings) -> Typed:
    return tuple(args), t.LONG, False


def _never(at: At, *args: object) -> object:
    """Only planner/query/analysis/grouping.py knows the sets: elsewhere there are none."""
    raise Mismatch(
        "grouping() and grouping_id() go with rollup, cube and grouping sets",
        "UNSUPPORTED_GROUPING_EXPRESSION",
    )


TABLE["grouping"] = Grouping("grouping", _grouping, _never)  # type: ignore[arg-type]
TABLE["grouping_id"] = Grouping("grouping_id", _grouping_id, _never)  # type: ignore[arg-type]
