"""sqlglot's parser as Python, where a compiled one is installed (`sqlglot[c]`).

A class of a compiled module cannot be inherited from by one that is not. The sources lie beside the
compiled modules: they are loaded once more from there, as modules that only we see.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any


def module(name: str) -> Any:
    """A module of sqlglot whose classes can be inherited from.

    >>> module("sqlglot.parsers.spark").SparkParser.__name__
    'SparkParser'
    """
    found = importlib.import_module(name)
    return found if _is_source(found) else _Sources().module(name)


def _is_source(found: ModuleType) -> bool:
    return str(found.__file__).endswith(".py")


class _Sources:
    """Modules made of their sources; they import each other, and all else as it is."""

    def __init__(self) -> None:
        self._made: dict[str, ModuleType] = {}

    def module(self, name: str) -> ModuleType:
        """The module of that name, made of its source."""
        if name in self._made:
            return self._made[name]
        compiled = importlib.import_module(name)
        if _is_source(compiled):  # a package, which has nothing of its own
            return compiled
        path = Path(str(compiled.__file__))
        source = path.with_name(f"{name.rpartition('.')[2]}.py")
        made = ModuleType(name)
        made.__dict__.update(
            __file__=str(source),
            __package__=compiled.__package__,
            __builtins__={**vars(builtins), "__import__": self._import},
        )
        self._made[name] = made
        exec(compile(source.read_text("utf-8"), str(source), "exec"), made.__dict__)
        return made

    def _import(
        self,
        name: str,
        names: Mapping[str, Any] | None = None,
        local: Mapping[str, Any] | None = None,
        wanted: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if wanted and not level and _of_parsers(name):
            return self.module(name)
        found = __import__(name, names, local, wanted or (), level)
        parsers = [each for each in wanted or () if _of_parsers(f"{name}.{each}")]
        if not parsers or level:
            return found
        both = ModuleType(name)  # `from sqlglot import exp, parser`
        both.__dict__.update({each: getattr(found, each) for each in wanted or ()})
        both.__dict__.update({each: self.module(f"{name}.{each}") for each in parsers})
        return both


def _of_parsers(name: str) -> bool:
    return name == "sqlglot.parser" or name.startswith("sqlglot.parsers.")
