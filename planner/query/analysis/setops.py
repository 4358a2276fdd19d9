"""UNION, INTERSECT and EXCEPT: columns by position (or by name), as one type."""

from __future__ import annotations

from collections.abc import Sequence

from planner.columns.coercion import common, implied
from planner.columns.expressions import Alias, Attr, Expr, Literal
from planner.columns.functions.registry import Settings
from planner.columns.typing import AnalysisError
from planner.query import logical as l


def union(sides: Sequence[l.Plan], word: str = "UNION") -> l.Plan:
    """All rows of all sides. The columns have the names of the first side.

    Raises AnalysisError where the sides differ in the number of columns or their types.
    """
    fitted = _fitted(sides, word)
    attrs = tuple(
        Attr(columns[0].name, columns[0].kind, any(column.null for column in columns))
        for columns in zip(*(side.output for side in fitted), strict=True)
    )
    return l.Union(tuple(fitted), attrs)


def combined(left: l.Plan, right: l.Plan, kind: str, every: bool) -> l.Plan:
    """'intersect' or 'except' of two plans; `every` keeps as many rows as there are."""
    a, b = _fitted([left, right], kind.upper())
    return l.SetOp(a, l.renewed(b) if set(a.output) & set(b.output) else b, kind, every)


def by_name(
    left: l.Plan, right: l.Plan, settings: Settings, missing: bool = False
) -> tuple[l.Plan, l.Plan]:
    """The two with their columns in one order; with `missing` those of one side only are NULL in
    the other.

    Raises AnalysisError for a column that only one side has.
    """

    def fold(name: str) -> str:
        return name if settings.case_sensitive else name.lower()

    of_left = {fold(attr.name): attr for attr in left.output}
    of_right = {fold(attr.name): attr for attr in right.output}
    lacking = [name for name in of_left if name not in of_right]
    more = [name for name in of_right if name not in of_left]
    if (lacking or (more and len(of_left) != len(of_right)) or more) and not missing:
        name = (lacking or more)[0]
        raise AnalysisError(
            f"only one side of the union has the column {name}; allowMissingColumns fills it "
            "with NULL",
            "NUM_COLUMNS_MISMATCH" if not lacking else "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        )
    nothing = [Alias(Literal(None, of_right[name].kind), of_right[name].name) for name in more]
    own = l.Project(left, (*left.output, *nothing)) if nothing else left
    other: list[Attr | Alias] = [
        of_right.get(name) or Alias(Literal(None, attr.kind), attr.name)
        for name, attr in of_left.items()
    ]
    return own, l.Project(right, (*other, *(of_right[name] for name in more)))


def _fitted(sides: Sequence[l.Plan], word: str) -> list[l.Plan]:
    """The sides with columns of the same types."""
    widths = [len(side.output) for side in sides]
    for place, width in enumerate(widths):
        if width != widths[0]:
            raise AnalysisError(
                f"{word} is of sides with as many columns: the first has {widths[0]}, side "
                f"{place + 1} has {width}",
                "NUM_COLUMNS_MISMATCH",
            )
    kinds = []
    for place, columns in enumerate(zip(*(side.output for side in sides), strict=True)):
        kind = common(column.kind for column in columns)
        if kind is None:
            shown = " and ".join(column.kind.simpleString() for column in columns)
            raise AnalysisError(
                f"column {place + 1} of {word} has types that do not fit: {shown}",
                "INCOMPATIBLE_COLUMN_TYPE",
            )
        kinds.append(kind)
    return [_as(side, kinds) for side in sides]


def _as(side: l.Plan, kinds: Sequence[object]) -> l.Plan:
    columns: list[Attr | Alias] = []
    for attr, kind in zip(side.output, kinds, strict=True):
        value: Expr = implied(attr, kind)  # type: ignore[arg-type]
        columns.append(attr if value is attr else Alias(value, attr.name))
    same = all(a is b for a, b in zip(columns, side.output, strict=True))
    return side if same else l.Project(side, tuple(columns))
