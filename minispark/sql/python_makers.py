"""What makes the functions of tasks that call users' Python functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from executors.relational.python import AddColumns, AggregateGroups, Calls
from executors.relational.pythonwindows import FoldWindows
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.query.analysis.python_calls import Makers, Wanted, Windows


def makers(settings: Settings) -> Makers:
    """They know the session's time zone."""

    def add(
        given: tuple[Attr, ...], kept: int, calls: tuple[Wanted, ...], attrs: tuple[Attr, ...]
    ) -> Callable[..., Any]:
        return AddColumns(given, kept, tuple(map(_call, calls)), attrs, settings.zone)

    def fold(
        given: tuple[Attr, ...],
        keys: tuple[int, ...],
        calls: tuple[Wanted, ...],
        attrs: tuple[Attr, ...],
    ) -> Callable[..., Any]:
        return AggregateGroups(given, keys, tuple(map(_call, calls)), attrs, settings.zone)

    def over(
        given: tuple[Attr, ...],
        kept: int,
        windows: Windows,
        calls: tuple[Wanted, ...],
        attrs: tuple[Attr, ...],
    ) -> Callable[..., Any]:
        made = tuple(map(_call, calls))
        return FoldWindows(
            given, kept, windows.keys, windows.orders, made, windows.frames, attrs, settings.zone
        )

    return Makers(add, fold, over)


def _call(wanted: Wanted) -> Calls:
    call = wanted.call
    return Calls(call.f, wanted.args, call.kind, call.style, call.name)
