"""What a plan computes, as a short text: plans that compute the same columns have the same.

Columns are named by their place in a child's output, so that neither ids nor names count, and the
text of a node is made of its own fields and its children's texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from planner.columns.expressions import (
    Alias,
    Attr,
    Expr,
    Lambda,
    Literal,
    PythonCall,
    Query,
    Variable,
)
from planner.columns.types import DataType
from planner.plan import Node
from planner.query import logical as l

_SKIPPED = ("site", "output")


def fingerprint(plan: l.Plan) -> str:
    """The text of a plan. A name or a hint on a plan leaves it as it is.

    >>> from planner.columns import types as t
    >>> numbers = l.Range(Attr("id", t.LONG), 0, 10, 1, 2)
    >>> again = l.Range(Attr("n", t.LONG), 0, 10, 1, 2)
    >>> fingerprint(numbers) == fingerprint(again)
    True
    """
    return fingerprints(plan)[id(plan)]


def fingerprints(plan: l.Plan) -> dict[int, str]:
    """The texts of a plan and of all below it, by the nodes' ids."""
    known: dict[int, str] = {}
    todo = [(plan, False)]
    while todo:
        node, ready = todo.pop()
        if id(node) in known:
            continue
        if ready:
            known[id(node)] = _made(node, known)
        else:
            todo.append((node, True))
            todo.extend((child, False) for child in node.children)
    return known


def _made(node: l.Plan, known: Mapping[int, str]) -> str:
    if isinstance(node, l.Known | l.Hint):
        return known[id(node.child)]
    places: dict[Expr, str] = {
        attr: f"{side}.{place}"
        for side, child in reversed(list(enumerate(node.children)))
        for place, attr in enumerate(child.output)
    }
    below = [known[id(child)] for child in node.children]
    own = [
        f"{field.name}={_text(getattr(node, field.name), places)}"
        for field in fields(node)
        if field.name not in _SKIPPED and not isinstance(getattr(node, field.name), l.Plan)
    ]
    if isinstance(node, l.Union):
        own = [f"attrs={_text(node.attrs, places)}"]
    text = f"{type(node).__name__}({';'.join(own)})[{','.join(below)}]"
    return hashlib.sha1(text.encode()).hexdigest()


def _text(value: Any, places: Mapping[Expr, str]) -> str:
    match value:
        case Attr():
            return places.get(value, value.kind.simpleString())
        case Alias():
            return _text(value.child, places)
        case Literal():
            return f"{value.value!r}:{value.kind.simpleString()}"
        case Lambda():
            inner: dict[Expr, str] = dict(places)
            inner.update({p: f"${at}" for at, p in enumerate(value.params)})
            return f"lambda {len(value.params)} {_text(value.body, inner)}"
        case Variable():
            return places.get(value, "$")
        case PythonCall():
            return f"python {id(value.f)} {value.style} {_text(value.args, places)}"
        case Query():
            return (
                f"{type(value).__name__} {fingerprint(value.plan)} {_text(value.children, places)}"
            )
        case Expr():
            own = [
                _text(getattr(value, field.name), places)
                for field in fields(value)
                if field.name != "metadata"
            ]
            return f"{type(value).__name__}({','.join(own)})"
        case DataType():
            return value.simpleString()
        case tuple() | list():
            return f"({','.join(_text(each, places) for each in value)})"
        case Node():
            return f"node {value.id}"
        case str() | int() | float() | None | l.FileSlice():
            return repr(value)
    return f"{type(value).__name__} {id(value)}"  # tables and functions: the very same ones
