"""Help for those who test their own programs: `minispark.testing.utils`."""

from __future__ import annotations

from typing import NoReturn

_NOT_YET = frozenset({"assertDataFrameEqual", "assertSchemaEqual"})


def __getattr__(name: str) -> NoReturn:
    if name in _NOT_YET:
        raise NotImplementedError(f"minispark.testing.{name}: there are no DataFrames yet")
    raise AttributeError(f"module 'minispark.testing' has no attribute {name!r}")
