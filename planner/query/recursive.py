"""A query that uses its own rows: WITH RECURSIVE.

A plan with such a query is no plan that can be optimised or lowered yet: first
`minispark/sql/recursion.py` computes it step by step, and puts the rows in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.columns.coercion import implied, widest
from planner.columns.expressions import Alias, Attr
from planner.columns.typing import AnalysisError
from planner.query import logical as l

LEVELS = 100  # as in Spark, for how often it is repeated
ROWS = 1_000_000

_PLACE = "INVALID_RECURSIVE_REFERENCE.PLACE"


@dataclass(frozen=True, eq=False, repr=False)
class Before(l.Plan):
    """In a step, the rows that the step before made."""

    attrs: tuple[Attr, ...]

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs


@dataclass(frozen=True, eq=False, repr=False)
class Recursive(l.Plan):
    """The rows of `first`, and those of `step` over them, over those, … until there are none.
    Columns are by position, and those of `first`. `levels` is how often a step may be done."""

    first: l.Plan
    step: l.Plan
    before: Before
    attrs: tuple[Attr, ...]
    levels: int | None = None

    def _columns(self) -> tuple[Attr, ...]:
        return self.attrs

    @property
    def children(self) -> tuple[l.Plan, ...]:
        return (self.first, self.step)

    def with_children(self, children: tuple[l.Plan, ...]) -> l.Plan:
        return replace(self, first=children[0], step=children[1])


def before_of(first: l.Plan) -> Before:
    """What a step of a query that begins with `first` reads."""
    return Before(tuple(Attr(a.name, a.kind, True) for a in first.output))


def recursive(first: l.Plan, step: l.Plan, before: Before, levels: int | None) -> l.Plan:
    """The whole query.

    Raises AnalysisError where the step uses the rows before in a place where it cannot, or gives
    other columns.
    """
    _check_places(step, before)
    if len(first.output) != len(step.output):
        raise AnalysisError(
            f"the first rows have {len(first.output)} columns, and those of a step "
            f"{len(step.output)}",
            "NUM_COLUMNS_MISMATCH",
        )
    columns = []
    for old, new in zip(first.output, step.output, strict=True):
        if widest(old.kind, new.kind) != old.kind:
            raise AnalysisError(
                f"the column {old.name} is {old.kind.simpleString()} in the first rows, and "
                f"{new.kind.simpleString()} in a step: cast one of them",
                "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
            )
        columns.append(Alias(implied(new, old.kind), old.name))
    null = [a.nullable or b.nullable for a, b in zip(first.output, step.output, strict=True)]
    attrs = tuple(Attr(a.name, a.kind, loose) for a, loose in zip(first.output, null, strict=True))
    return Recursive(first, l.Project(step, tuple(columns)), before, attrs, levels)


def uses(plan: l.Plan, before: Before) -> bool:
    """Whether a plan reads the rows of the step before."""
    return any(same_rows(node, before) for node in l.walk(plan))


def same_rows(node: l.Plan, before: Before) -> bool:
    """Whether a node is what reads those rows; another line of the user's makes it no other."""
    return isinstance(node, Before) and node.attrs == before.attrs


def _check_places(step: l.Plan, before: Before) -> None:
    for node in l.walk(step):
        wrong: tuple[l.Plan, ...] = ()
        match node:
            case l.Aggregate() | l.SetOp():
                wrong = node.children
            case l.Join(kind="full"):
                wrong = node.children
            case l.Join(kind="right"):
                wrong = (node.left,)
            case l.Join(kind=kind) if kind not in ("inner", "cross", "semi"):
                wrong = (node.right,)
        if any(uses(each, before) for each in wrong):
            raise AnalysisError(
                "a step cannot read the rows before it in an aggregate, or on the side of a join "
                "that may be missing",
                _PLACE,
            )
