"""The file that a row comes from: input_file_name() and _metadata, as columns that scans make.

A name is to a scan what the value of a partition's folder is: one for each file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from planner.columns import types as t
from planner.columns.expressions import (
    Alias,
    Attr,
    Call,
    Expr,
    Literal,
    calls_in,
    rewrite,
    walk,
)
from planner.columns.typing import AnalysisError
from planner.query import logical as l

NAME, METADATA = "input_file_name", "_metadata"
NAMES = (NAME, METADATA)
Change = Callable[[Expr], Expr]
_KEEPS = (l.Filter, l.Known, l.Hint, l.Sample, l.Limit, l.Generate)


def asks_for_files(exprs: Sequence[Expr]) -> bool:
    """Whether the file of a row is asked for."""
    return any(
        isinstance(each, Call) and each.name in NAMES
        for expr in exprs
        if not calls_in(expr).isdisjoint(NAMES)
        for each in walk(expr)
    )


def with_files(plan: l.Plan) -> tuple[l.Plan, Change]:
    """The plan with the file's name as a further column, and what puts it into expressions.

    Raises
    ------
    AnalysisError
        The rows come from several tables, or `_metadata` is asked of what is no file.
    NotImplementedError
        Rows of several files come together below; a field of `_metadata` is not there.
    """
    found, attr = _reached(plan)

    def change(expr: Expr) -> Expr:
        match expr:
            case Call("get_item", (Call(name="_metadata"), Literal(value=field))):
                return _field(str(field), attr)
        return expr

    def last(expr: Expr) -> Expr:
        if isinstance(expr, Call) and expr.name == METADATA:
            raise NotImplementedError(
                "_metadata as a whole is not there; select _metadata.file_path or "
                "_metadata.file_name"
            )
        if isinstance(expr, Call) and expr.name == NAME:
            return attr or Literal("", t.STRING)
        return expr

    return found, lambda expr: rewrite(rewrite_down(expr, change), last)


def rewrite_down(expr: Expr, change: Change) -> Expr:
    """`change` from the top down, until it changes something."""
    new = change(expr)
    if new is not expr or not expr.children:
        return new
    return expr.with_children(tuple(rewrite_down(child, change) for child in expr.children))


def _field(name: str, attr: Attr | None) -> Expr:
    if attr is None:
        raise AnalysisError(
            "there is no column _metadata: these rows come from no files",
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        )
    if name.lower() == "file_path":
        return attr
    if name.lower() == "file_name":
        args = (attr, Literal("/", t.STRING), Literal(-1, t.INT))
        return Call("substring_index", args, kind=t.STRING, null=False)
    raise NotImplementedError(
        f"_metadata.{name} is not there; there are _metadata.file_path and _metadata.file_name"
    )


def _reached(plan: l.Plan) -> tuple[l.Plan, Attr | None]:
    """The plan with the column, None if there are no files below."""
    scans = [node for node in l.walk(plan) if isinstance(node, l.Scan)]
    if not scans:
        return plan, None
    match plan:
        case l.Scan():
            return _scan(plan)
        case l.Project():
            child, attr = _reached(plan.child)
            return replace(plan, child=child, columns=(*plan.columns, *_some(attr))), attr
        case l.Union():
            return _union(plan)
        case l.One() if isinstance(plan, _KEEPS):
            child, attr = _reached(plan.child)
            return plan.with_children((child,)), attr
    if len(scans) > 1:
        raise AnalysisError(
            f"{NAME}() needs rows of one source, and these come from {len(scans)}",
            "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION",
        )
    raise NotImplementedError(
        f"{NAME}() after rows of files have come together ({type(plan).__name__}); select it before"
    )


def _some(attr: Attr | None) -> tuple[Attr, ...]:
    return () if attr is None else (attr,)


def _scan(scan: l.Scan) -> tuple[l.Plan, Attr]:
    attr = Attr(NAME, t.STRING, False)
    slices = tuple(
        replace(piece, values=(*piece.values, _url(piece.path))) for piece in scan.slices
    )
    made = replace(
        scan,
        attrs=(*scan.attrs, attr),
        partitioned=(*scan.partitioned, attr),
        slices=slices,
    )
    return made, attr


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/")
_PLAIN |= frozenset(b"!$&()*+,;=:@'")


def _url(path: str) -> str:
    """A path on this machine as PySpark names it; those of other places are names already."""
    if path[:1] != "/":
        return path
    letters = (chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode())
    return f"file://{''.join(letters)}"


def _union(plan: l.Union) -> tuple[l.Plan, Attr]:
    sides = []
    for side in plan.sides:
        made, attr = _reached(side)
        own = attr or Alias(Literal("", t.STRING), NAME)
        sides.append(l.Project(made, (*side.output, own)))
    found = Attr(NAME, t.STRING, False)
    return replace(plan, sides=tuple(sides), attrs=(*plan.attrs, found)), found
