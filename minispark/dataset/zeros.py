"""Neutral values to start from: each fold gets one of its own, because it may change it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_CANNOT_CHANGE = frozenset({int, float, str, bytes, bool, complex, type(None), range})
_CONTAINERS = frozenset({list, dict, set})


@dataclass(frozen=True, slots=True)
class FromZero:
    """f(zero, value), for a zero that cannot change."""

    zero: Any
    f: Callable[[Any, Any], Any]

    def __call__(self, value: Any) -> Any:
        return self.f(self.zero, value)


@dataclass(frozen=True, slots=True)
class FromEmpty:
    """f(an empty container, value)."""

    kind: type
    f: Callable[[Any, Any], Any]

    def __call__(self, value: Any) -> Any:
        return self.f(self.kind(), value)


@dataclass(frozen=True, slots=True)
class FromCopy:
    """f(a copy of zero, value)."""

    zero: Any
    f: Callable[[Any, Any], Any]

    def __call__(self, value: Any) -> Any:
        return self.f(copy.deepcopy(self.zero), value)


def with_zero(zero: Any, f: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A function of one value that gives `f(fresh zero, value)` as fast as the zero allows."""
    kind = type(zero)
    if kind in _CANNOT_CHANGE:
        return FromZero(zero, f)
    if kind in _CONTAINERS and not zero:
        return FromEmpty(kind, f)
    return FromCopy(zero, f)


def fresh(zero: Any) -> Any:
    """A zero that may be changed."""
    return zero if type(zero) in _CANNOT_CHANGE else copy.deepcopy(zero)
