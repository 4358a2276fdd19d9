"""Pickling: plain first in workers, by value from the driver."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

PROTOCOL = pickle.HIGHEST_PROTOCOL


@cache
def _cloud() -> ModuleType:
    import cloudpickle  # on first use: it is a third of a worker's start

    module: ModuleType = cloudpickle
    return module


def dumps(value: Any) -> bytes:
    """Pickle data in a worker: plainly, or by value where a class is not importable by name."""
    try:
        return pickle.dumps(value, PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        return by_value(value)


def by_value(value: Any) -> bytes:
    """Pickle anything, functions and classes of the user's script by value."""
    data: bytes = _cloud().dumps(value, PROTOCOL)
    return data


loads: Callable[[Any], Any] = pickle.loads
