"""Logical plans as text: a line for each node, what it stands on below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch

from planner.columns.expressions import Alias, Attr, Expr, rewrite
from planner.query import logical as l
from planner.query.analysis.naming import text_of


def tree(plan: l.Plan, note: Callable[[l.Plan], str] = lambda node: "") -> str:
    """The plan as text; `note` is put behind the line of each node.

    >>> from planner.columns import types as t
    >>> print(tree(l.Limit(l.Range(Attr("n", t.LONG, id=0), 0, 9, 1, 2), 3)))
    Limit 3
    +- Range (0, 9, step=1, splits=2) [n#0]
    """
    lines: list[str] = []
    todo = [(plan, "", "")]
    while todo:
        node, first, rest = todo.pop()
        lines.append(f"{first}{words(node)}{note(node)}")
        below = list(node.children)
        for at in range(len(below) - 1, -1, -1):
            last = at == len(below) - 1
            todo.append(
                (
                    below[at],
                    f"{rest}{'+- ' if last else ':- '}",
                    f"{rest}{'   ' if last else ':  '}",
                )
            )
    return "\n".join(lines)


def numbered(expr: Expr) -> str:
    """An expression with the numbers of its columns."""

    def shown(each: Expr) -> Expr:
        if isinstance(each, Attr):
            return Attr(each.column, each.kind, each.null, each.id)
        return each

    text = text_of(rewrite(expr, shown))
    return f"{text}#{expr.id}" if isinstance(expr, Alias) else text


def listed(exprs: Sequence[Expr]) -> str:
    """Expressions between brackets, the first 25 of them."""
    texts = [numbered(expr) for expr in exprs[:25]]
    more = f", … {len(exprs) - 25} more" if len(exprs) > 25 else ""
    return f"[{', '.join(texts)}{more}]"


@singledispatch
def words(node: l.Plan) -> str:
    """A node in a line."""
    own = node.expressions
    name = type(node).__name__
    return f"{name} {listed(own)}" if own else name


@words.register
def _table(node: l.Table) -> str:
    return f"LocalTable {listed(node.attrs)}"


@words.register
def _range(node: l.Range) -> str:
    cut = f"({node.start}, {node.stop}, step={node.step}, splits={node.slices})"
    return f"Range {cut} {listed(node.output)}"


@words.register
def _scan(node: l.Scan) -> str:
    filters = f", filters: {listed(node.filters)}" if node.filters else ""
    return f"Scan {node.format} {node.label}{listed(node.attrs)}{filters}"


@words.register
def _rows(node: l.Rows) -> str:
    return f"Rows {listed(node.attrs)}"


@words.register
def _filter(node: l.Filter) -> str:
    return f"Filter {numbered(node.condition)}"


@words.register
def _aggregate(node: l.Aggregate) -> str:
    return f"Aggregate {listed(node.groups)}, {listed(node.values)}"


@words.register
def _sort(node: l.Sort) -> str:
    return f"Sort {listed(node.order)}, {'global' if node.everywhere else 'in partitions'}"


@words.register
def _limit(node: l.Limit) -> str:
    offset = f" after {node.offset}" if node.offset else ""
    return f"Limit {'all' if node.count is None else node.count}{offset}"


@words.register
def _join(node: l.Join) -> str:
    condition = "" if node.condition is None else f", {numbered(node.condition)}"
    return f"Join {node.kind}{condition}"


@words.register
def _set_operation(node: l.SetOp) -> str:
    return f"{node.kind.capitalize()}{' All' if node.every else ''}"


@words.register
def _known(node: l.Known) -> str:
    return f"SubqueryAlias {'.'.join(node.qualifier)}"


@words.register
def _hint(node: l.Hint) -> str:
    return f"Hint {node.name}"
