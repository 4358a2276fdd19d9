"""Tables that stay: what they are called and what they are, kept beside their files.

The setting `spark.sql.warehouse.dir` names a folder (`spark-warehouse` where the program runs, if
not set). A table of the database `default` has its files in `<folder>/<table>`, one of another in
`<folder>/<database>.db/<table>`; what is known of it is in `<folder>/.minispark/<database>/
<table>.json`. So tables are there in later sessions too.
"""

from __future__ import annotations

import json
import posixpath
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from executors.formats.files import Place, locate
from minispark.errors import AnalysisException, ParseException, PySparkTypeError
from planner.columns import types as t

DEFAULT = "default"
CATALOG = "spark_catalog"
_KNOWN = ".minispark"


def parts_of(name: str) -> tuple[str, ...]:
    """A name with dots and backticks as its parts.

    >>> parts_of("global_temp.`my view`")
    ('global_temp', 'my view')
    """
    if not isinstance(name, str):
        raise PySparkTypeError(
            f"the name of a table is a str, and not {type(name).__name__}: {name!r}",
            "NOT_EXPECTED_TYPE",
        )
    if not name.strip():
        raise ParseException("the name of a table cannot be empty", "PARSE_EMPTY_STATEMENT")
    parts: list[str] = []
    rest = name
    while rest:
        if rest[0] == "`":
            end = rest.index("`", 1) if "`" in rest[1:] else len(rest)
            parts.append(rest[1:end])
            rest = rest[end + 1 :].removeprefix(".")
        else:
            part, _, rest = rest.partition(".")
            parts.append(part)
    return tuple(parts) or ("",)


@dataclass(frozen=True)
class StoredTable:
    """A table: `columns` end with those that folders name, `partitions`. `limits` are the most
    characters that columns of varchar hold. A table that is not `managed` keeps its files when it
    is dropped."""

    database: str
    name: str
    format: str
    columns: t.StructType
    path: str
    partitions: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    managed: bool = True

    @property
    def full(self) -> str:
        """The whole name."""
        return f"{CATALOG}.{self.database}.{self.name}"

    def shown_type(self, column: t.StructField) -> str:
        """A column's type as DESCRIBE tells it."""
        most = dict(self.limits).get(column.name)
        return column.dataType.simpleString() if most is None else f"varchar({most})"


@dataclass
class Warehouse:
    """The tables below a folder. `folder` gives it, `current` is the database that names without
    one mean."""

    folder: Callable[[], str]
    current: str = field(default=DEFAULT)

    # ---- databases -------------------------------------------------------------------------------

    def databases(self) -> list[str]:
        """All databases."""
        place, root = self._known()
        inside = [info.base_name for info in _listed(place, root) if not info.is_file]
        return sorted({DEFAULT, *inside})

    def need(self, database: str) -> str:
        """A database by name. Raises AnalysisException where there is none."""
        name = database.lower()
        if name not in self.databases():
            raise AnalysisException(
                f"there is no database {database}; there are {', '.join(self.databases())}",
                "SCHEMA_NOT_FOUND",
            )
        return name

    def create_database(self, name: str, unless_there: bool) -> None:
        """Make a database."""
        if name.lower() in self.databases():
            if unless_there:
                return
            raise AnalysisException(f"there is a database {name} already", "SCHEMA_ALREADY_EXISTS")
        place, root = self._known(name.lower())
        place.system.create_dir(root, recursive=True)

    def drop_database(self, name: str, if_there: bool, cascade: bool) -> None:
        """Take a database away, with its tables if `cascade`."""
        if if_there and name.lower() not in self.databases():
            return
        database = self.need(name)
        if database == DEFAULT:
            raise AnalysisException(
                "the database default cannot be dropped", "UNSUPPORTED_FEATURE.DROP_DATABASE"
            )
        tables = self.tables(database)
        if tables and not cascade:
            raise AnalysisException(
                f"the database {name} has tables; say CASCADE to drop them", "SCHEMA_NOT_EMPTY"
            )
        for table in tables:
            self.drop(table)
        place, root = self._known(database)
        place.system.delete_dir(root)
        if self.current == database:
            self.current = DEFAULT

    # ---- tables ----------------------------------------------------------------------------------

    def place_of(self, parts: tuple[str, ...]) -> tuple[str, str] | None:
        """(database, name) of a table's name; None for a name that no table here can have."""
        if len(parts) == 3 and parts[0].lower() == CATALOG:
            parts = parts[1:]
        if len(parts) == 1:
            return self.current, parts[0].lower()
        return (parts[0].lower(), parts[1].lower()) if len(parts) == 2 else None

    def find(self, parts: tuple[str, ...]) -> StoredTable | None:
        """The table of a name, if there is one."""
        where = self.place_of(parts)
        return None if where is None else self._read(*where)

    def tables(self, database: str | None = None) -> list[StoredTable]:
        """The tables of a database, by name."""
        name = database or self.current
        place, root = self._known(name)
        names = [i.base_name.removesuffix(".json") for i in _listed(place, root) if i.is_file]
        found = [self._read(name, each) for each in sorted(names) if not each.startswith(".")]
        return [each for each in found if each is not None]

    def usual_path(self, database: str, name: str) -> str:
        """Where a table's files are unless told otherwise."""
        folder = name if database == DEFAULT else f"{database}.db/{name}"
        return posixpath.join(self.folder(), folder)

    def keep(self, table: StoredTable) -> None:
        """Remember a table, in the place of what was known under its name."""
        place, root = self._known(table.database)
        place.system.create_dir(root, recursive=True)
        text = json.dumps(
            {
                "format": table.format,
                "columns": table.columns.jsonValue(),
                "path": table.path,
                "partitions": table.partitions,
                "options": dict(table.options),
                "limits": dict(table.limits),
                "managed": table.managed,
            }
        )
        aside = posixpath.join(root, f".{uuid.uuid4().hex}.json")
        with place.system.open_output_stream(aside) as file:
            file.write(text.encode())
        place.system.move(aside, posixpath.join(root, f"{table.name}.json"))

    def drop(self, table: StoredTable) -> None:
        """Forget a table; the files of a managed one go too."""
        place, root = self._known(table.database)
        place.system.delete_file(posixpath.join(root, f"{table.name}.json"))
        if table.managed:
            remove_files(table.path)

    def rename(self, table: StoredTable, name: str) -> None:
        """Give a table another name."""
        made = replace(table, name=name.lower())
        if self._read(made.database, made.name) is not None:
            raise AnalysisException(
                f"there is a table {name} already", "TABLE_OR_VIEW_ALREADY_EXISTS"
            )
        if table.managed:
            place, old = locate(table.path)
            made = replace(made, path=self.usual_path(made.database, made.name))
            if _there(place, old):
                place.system.move(old, locate(made.path)[1])
        self.keep(made)
        self.drop(replace(table, managed=False))

    def _known(self, *more: str) -> tuple[Place, str]:
        place, root = locate(self.folder())
        return place, posixpath.join(root, _KNOWN, *more)

    def _read(self, database: str, name: str) -> StoredTable | None:
        place, root = self._known(database)
        path = posixpath.join(root, f"{name}.json")
        if not _there(place, path):
            return None
        with place.system.open_input_stream(path) as file:
            found = json.loads(file.read())
        return StoredTable(
            database,
            name,
            found["format"],
            t.StructType.fromJson(found["columns"]),
            found["path"],
            tuple(found["partitions"]),
            tuple(found["options"].items()),
            tuple(found["limits"].items()),
            found["managed"],
        )


def remove_files(path: str) -> None:
    """Delete a folder with all in it, if it is there."""
    place, folder = locate(path)
    if _there(place, folder):
        place.system.delete_dir(folder)


def _there(place: Place, path: str) -> bool:
    from pyarrow import fs  # on first use

    return bool(place.system.get_file_info(path).type != fs.FileType.NotFound)


def _listed(place: Place, folder: str) -> list[Any]:
    from pyarrow import fs

    selector = fs.FileSelector(folder, allow_not_found=True)
    return list(place.system.get_file_info(selector))
