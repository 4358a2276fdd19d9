"""Users' table functions: classes whose `eval` makes rows of the values of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from executors.relational.python import Tables, batches
from executors.relational.pyvalues import coerced, parts_of, values_of
from planner.columns import types as t
from planner.columns.columnar import to_arrow
from planner.columns.expressions import Attr


@dataclass(frozen=True, eq=False)
class TableFunction:
    """f(partition, tables): the first `kept` columns of each row, with those of each row that the
    handler makes of its arguments, which are the columns after them. `words` are the names of the
    last arguments; with `outer` there is a row of NULLs where it makes none."""

    handler: Callable[[], Any]
    name: str
    given: tuple[Attr, ...]
    kept: int
    words: tuple[str, ...]
    made: tuple[Attr, ...]
    outer: bool = False

    def __call__(self, partition: int, tables: Tables) -> Iterator[pa.Table]:
        handler = self.handler()
        last: pa.Table | None = None
        for table in batches(tables, self.given):
            last = table.slice(table.num_rows - 1, 1)
            yield self._table(table, self._rows(handler, table))
        end = getattr(handler, "terminate", None)
        if end is not None and last is not None:
            rows = [(0, row) for row in self._checked(end())]
            if rows:
                yield self._table(last, rows)

    def _rows(self, handler: Any, table: pa.Table) -> list[tuple[int, Sequence[Any]]]:
        columns = [
            values_of(table.column(at), self.given[at].kind)
            for at in range(self.kept, len(self.given))
        ]
        cut = len(columns) - len(self.words)
        found: list[tuple[int, Sequence[Any]]] = []
        for place in range(table.num_rows):
            args = [column[place] for column in columns]
            by_name = dict(zip(self.words, args[cut:], strict=True))
            try:
                rows = [*self._checked(handler.eval(*args[:cut], **by_name))]
            except Exception as error:
                error.add_note(f"in {self.name}({', '.join(map(repr, args))})")
                raise
            if self.outer and not rows:
                rows = [[None] * len(self.made)]
            found += [(place, row) for row in rows]
        return found

    def _checked(self, answer: Any) -> Iterator[Sequence[Any]]:
        """The rows of an answer, as values in the order of the columns."""
        if answer is None:
            return
        if not isinstance(answer, Iterable):
            raise TypeError(f"{self.name} must give rows, and gave {answer!r}")
        kind = t.StructType([t.StructField(a.name, a.kind) for a in self.made])
        for row in answer:
            if row is None:
                row = [None] * len(self.made)
            parts = parts_of(row, kind) if isinstance(row, tuple | list | dict) else (row,)
            if len(parts) != len(self.made):
                raise RuntimeError(
                    f"{self.name} promised {len(self.made)} columns, and gave a row of {len(parts)}"
                )
            yield parts

    def _table(self, table: pa.Table, rows: list[tuple[int, Sequence[Any]]]) -> pa.Table:
        places = pa.array(np.array([place for place, _ in rows], dtype=np.int64))
        columns = [table.column(at).take(places) for at in range(self.kept)]
        names = [attr.column for attr in self.given[: self.kept]]
        for at, attr in enumerate(self.made):
            out = coerced(attr.kind, self.name)
            values = [None if row[at] is None else out(row[at]) for _, row in rows]
            columns.append(pa.chunked_array([pa.array(values, to_arrow(attr.kind))]))
            names.append(attr.column)
        return pa.Table.from_arrays(columns, names=names)
