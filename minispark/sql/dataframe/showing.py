"""What a DataFrame prints: rows, schema, plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minispark.errors import IllegalArgumentException, PySparkTypeError, PySparkValueError
from minispark.sql.dataframe.core import Core
from minispark.sql.texting import cell, nullable, shower, table_text, vertical_text
from planner.query import logical as l

_MODES = ("simple", "extended", "codegen", "cost", "formatted")


class Showing(Core):
    """What a DataFrame prints."""

    def show(self, n: int = 20, truncate: bool | int = True, vertical: bool = False) -> None:
        """Print the first rows.

        Parameters
        ----------
        n : int
            How many.
        truncate : bool or int
            Cut values to 20 characters (True), to a number of them, or not at all (False).
        vertical : bool
            A line for each value.

        Examples
        --------
        >>> spark.createDataFrame([(2, "Ann"), (5, None)], ["age", "name"]).show()
        +---+----+
        |age|name|
        +---+----+
        |  2| Ann|
        |  5|NULL|
        +---+----+
        <BLANKLINE>
        """
        print(self._show_string(n, truncate, vertical))

    def _show_string(self, n: int = 20, truncate: Any = True, vertical: bool = False) -> str:
        if not isinstance(n, int) or isinstance(n, bool):
            raise PySparkTypeError(f"n must be an int, not {n!r}", "NOT_EXPECTED_TYPE")
        if not isinstance(vertical, bool):
            raise PySparkTypeError(
                f"vertical must be a bool, not {vertical!r}", "NOT_EXPECTED_TYPE"
            )
        if isinstance(truncate, bool):
            width = 20 if truncate else 0
        else:
            try:
                width = int(truncate)
            except (TypeError, ValueError):
                raise PySparkTypeError(
                    f"truncate must be a bool or an int, not {truncate!r}", "NOT_EXPECTED_TYPE"
                ) from None
        n = max(0, n)
        rows = self._texts(n + 1)
        more = len(rows) > n
        cells = [[cell(text, width) for text in row] for row in rows[:n]]
        names = [cell(name, 0) for name in self.columns]
        if vertical:
            text = vertical_text(names, cells)
            if not cells:
                return "(0 rows)\n"
        else:
            text = _empty_table(len(cells)) if not names else table_text(names, cells, width > 0)
        if more:
            text += f"only showing top {n} row{'' if n == 1 else 's'}"
        return text

    def _texts(self, n: int) -> list[list[str]]:
        """The first rows as text."""
        if not self._output:
            return [[] for _ in range(min(n, self.count()))]  # type: ignore[attr-defined]
        table = self._engine.table(l.Limit(self._plan, n))
        zone = self._engine.settings.zone
        shows = [nullable(shower(attr.kind, zone)) for attr in self._output]
        columns = [
            [show(value) for value in column.to_pylist()]
            for show, column in zip(shows, table.columns, strict=True)
        ]
        return [list(row) for row in zip(*columns, strict=True)]

    def printSchema(self, level: int | None = None) -> None:
        """Print the schema as a tree.

        >>> spark.range(1).printSchema()
        root
         |-- id: long (nullable = false)
        <BLANKLINE>
        """
        print(self.schema.treeString(level))

    def explain(self, extended: bool | str | None = None, mode: str | None = None) -> None:
        """Print how the DataFrame is computed: its logical plan, and its stages.

        Parameters
        ----------
        extended : bool or str, optional
            Whether the logical plans are printed too; a str is taken for `mode`.
        mode : str, optional
            simple, extended, codegen, cost or formatted.

        Examples
        --------
        >>> spark.range(3).explain()  # doctest: +ELLIPSIS
        == Physical Plan ==
        ...
        """
        if extended is not None and mode is not None:
            raise PySparkValueError("give extended or mode, and not both", "CANNOT_SET_TOGETHER")
        if isinstance(extended, str):
            extended, mode = None, extended
        if extended is not None and not isinstance(extended, bool):
            raise PySparkTypeError("extended must be a bool or a str", "NOT_EXPECTED_TYPE")
        if mode is not None and not isinstance(mode, str):
            raise PySparkTypeError("mode must be a str", "NOT_EXPECTED_TYPE")
        chosen = (mode or ("extended" if extended else "simple")).lower()
        if chosen not in _MODES:
            raise IllegalArgumentException(
                f"there is no mode {chosen!r}: use one of {', '.join(_MODES)}"
            )
        print(self._engine.explain(self._plan, chosen))

    def _repr_html_(self) -> str | None:
        """What a notebook shows, if `spark.sql.repl.eagerEval.enabled` is true."""
        conf = self._session.conf
        if conf.get("spark.sql.repl.eagerEval.enabled", "false") != "true":
            return None
        most = int(conf.get("spark.sql.repl.eagerEval.maxNumRows", "20") or 20)
        wide = int(conf.get("spark.sql.repl.eagerEval.truncate", "20") or 20)
        rows = self._texts(most + 1)
        out = ["<table border='1'>", _html("th", self.columns)]
        out += [_html("td", [cell(text, wide) for text in row]) for row in rows[:most]]
        out.append("</table>")
        if len(rows) > most:
            out.append(f"only showing top {most} row{'' if most == 1 else 's'}")
        return "\n".join(out) + "\n"


def _html(tag: str, texts: Sequence[str]) -> str:
    safe = (text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in texts)
    return f"<tr>{''.join(f'<{tag}>{text}</{tag}>' for text in safe)}</tr>"


def _empty_table(rows: int) -> str:
    return "++\n||\n++\n" + "||\n" * rows + "++\n"
