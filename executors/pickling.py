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


def by_name(value: Any) -> bytes | None:
    """Pickle data plainly; None if it holds anything that has to be pickled by value."""
    try:
        data = pickle.dumps(value, PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return None if b"__main__" in data or _cloud().list_registry_pickle_by_value() else data


def by_value(value: Any) -> bytes:
    """Pickle anything, functions and classes of the user's script by value."""
    data: bytes = _cloud().dumps(value, PROTOCOL)
    return data


loads: Callable[[Any], Any] = pickle.loads
