"""From the text of a statement to its plan. Commands are in `minispark/sql/statements.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minispark.errors import AnalysisException, ParseException
from minispark.sql.column import expr_of
from minispark.sql.parser import reading
from minispark.sql.parser.expressions import Arguments, Reader
from minispark.sql.parser.queries import query
from minispark.sql.parser.reading import Node
from minispark.sql.parser.sources import Around, Names
from planner.columns.expressions import Expr
from planner.query import logical as l
from planner.query.decorrelate import outer_columns

QUERIES = ("Select", "Union", "Intersect", "Except", "Subquery", "Values", "Table")


def sql_to_plan(
    text: str, names: Names, args: Mapping[str, Any] | Sequence[Any] | None = None
) -> l.Plan:
    """The typed plan of a query.

    Parameters
    ----------
    text : str
        One query.
    names : Names
        The session's settings, and its views and tables by name.
    args : mapping or sequence, optional
        Values for `:name`, or for each `?`; Python values or Columns of constants.

    Raises
    ------
    ParseException
        The text is no query.
    AnalysisError
        It means nothing: a column, table or function that is not there, types that do not fit.
    """
    return plan_of(reading.statement(text), names, args)


def plan_of(
    tree: Node,
    names: Names,
    args: Mapping[str, Any] | Sequence[Any] | None = None,
    frames: Mapping[str, l.Plan] | None = None,
) -> l.Plan:
    """As `sql_to_plan`, of a tree; `frames` are plans that it can name as those of WITH."""
    if reading.kind(tree) not in QUERIES:
        raise ParseException(f"this is no query: {reading.sql_of(tree)}", "PARSE_SYNTAX_ERROR")
    plan = query(tree, Around(names, names.settings, query, arguments(tree, args), frames or {}))
    lost = outer_columns(plan)
    if lost:
        raise AnalysisException(
            "a subquery uses columns that the query around it does not have at that place: "
            + ", ".join(sorted(attr.name for attr in lost)),
            "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_REFERENCE",
        )
    return plan


def arguments(tree: Node, args: Mapping[str, Any] | Sequence[Any] | None) -> Arguments:
    """What was given for the parameters of a statement."""
    if args is None:
        return Arguments()
    if isinstance(args, Mapping):
        return Arguments({name: expr_of(value) for name, value in args.items()})
    places = {id(node): place for place, node in enumerate(reading.placeholders(tree))}
    return Arguments({}, [expr_of(value) for value in args], places)


def parse_expression(text: str) -> Expr:
    """An expression given as text, still without types: `df.where("a > 1")`.

    >>> parse_expression("a").parts
    ('a',)
    """
    return Reader().expr(reading.expression(text))


parse_select_item = parse_expression  # which may end in AS and a name
