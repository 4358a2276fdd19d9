"""Names of a session: temporary views, and `spark.catalog`, which tells of them.

Tables that stay are in a folder: `minispark/sql/warehouse.py`.
"""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn

from executors.formats.files import locate, name_of
from minispark.errors import AnalysisException, TempTableAlreadyExistsException
from minispark.sql import tables
from minispark.sql.column import Column as ColumnOf
from minispark.sql.engine import QueryEngine
from minispark.sql.udtf import UserDefinedTableFunction
from minispark.sql.warehouse import CATALOG, DEFAULT, StoredTable, Warehouse, parts_of
from minispark.storagelevel import StorageLevel
from planner.columns import types as t
from planner.columns.expressions import Expr
from planner.columns.functions.registry import TABLE, Settings
from planner.columns.functions.registry import Aggregate as AggregateEntry
from planner.query import logical as l

if TYPE_CHECKING:
    from minispark.sql.dataframe.dataframe import DataFrame
    from minispark.sql.session import SparkSession

GLOBAL = "global_temp"


@dataclass(frozen=True)
class View:
    """A name for a plan. A view made by a statement is planned again whenever it is used, as the
    views that it uses may be others then."""

    name: str
    plan: Callable[[], l.Plan]
    everywhere: bool = False


class Views:
    """The temporary views of a session, and those of all sessions."""

    _everywhere: ClassVar[dict[str, View]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._own: dict[str, View] = {}
        self.warehouse = Warehouse(self._folder)

    @property
    def settings(self) -> Settings:
        """The session's settings."""
        return self._session._engine.settings

    def _folder(self) -> str:
        """The folder of tables that stay."""
        given = self._session.conf.get("spark.sql.warehouse.dir", None) or "spark-warehouse"
        place, folder = locate(given)
        return place.opened(folder)

    def call(self, name: str, args: tuple[Expr, ...]) -> Expr | None:
        """A call of a function that `spark.udf` knows, None for other names."""
        function = self._session._functions.get(name.lower())
        if function is None:
            return None
        found: Expr = function(*map(ColumnOf, args))._expr
        return found

    def table_function(self, name: str) -> UserDefinedTableFunction | None:
        """A function that `spark.udtf` knows, None for other names."""
        return self._session._table_functions.get(name.lower())

    def relation(self, parts: tuple[str, ...]) -> l.Plan:
        """The plan of a name: a view, or files named by their format (parquet.`folder`).

        Raises
        ------
        AnalysisException
            There is none.
        """
        view = self.find(parts)
        if view is not None:
            return view.plan()
        table = self.warehouse.find(parts)
        if table is not None:
            return tables.plan_of(self._session, table)
        if len(parts) == 2 and parts[0].lower() in _FORMATS:
            plan: l.Plan = self._session.read.format(parts[0].lower()).load(parts[1])._plan
            return plan
        known = ", ".join(sorted(each.name for each in self.all())[:10])
        hint = f"; there are {known}" if known else "; there are none"
        raise AnalysisException(
            f"there is no view or table {'.'.join(parts)}{hint}", "TABLE_OR_VIEW_NOT_FOUND"
        )

    def find(self, parts: tuple[str, ...]) -> View | None:
        """The view of a name, if there is one."""
        name = parts[-1].lower()
        if len(parts) == 1:
            return self._own.get(name)
        if len(parts) == 2 and parts[0].lower() == GLOBAL:
            return self._everywhere.get(name)
        return None

    def add(
        self,
        parts: tuple[str, ...],
        plan: l.Plan | Callable[[], l.Plan],
        replace: bool = True,
        everywhere: bool = False,
    ) -> None:
        """Give a plan a name.

        Raises
        ------
        AnalysisException
            The name is no name for a view.
        TempTableAlreadyExistsException
            It is taken, and `replace` is false.
        """
        if len(parts) != 1 or not parts[0]:
            raise AnalysisException(
                f"{'.'.join(parts)!r} is no name for a temporary view; it has one part",
                "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS" if parts[0] else "INVALID_TEMP_VIEW_NAME",
            )
        name = parts[0]
        with self._lock:
            views = self._everywhere if everywhere else self._own
            if not replace and name.lower() in views:
                raise TempTableAlreadyExistsException(
                    f"there is a temporary view {name} already; replace it, or take another name",
                    "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
                )
            made = (lambda: plan) if isinstance(plan, l.Plan) else plan
            views[name.lower()] = View(name, made, everywhere)

    def drop(self, parts: tuple[str, ...]) -> View | None:
        """Forget a name; gives the view that it was."""
        view = self.find(parts)
        if view is not None:
            (self._everywhere if view.everywhere else self._own).pop(view.name.lower(), None)
        return view

    def all(self, everywhere: bool = False) -> list[View]:
        """The session's views, or those of all sessions, by name."""
        views = self._everywhere if everywhere else self._own
        return [views[name] for name in sorted(views)]


_FORMATS = ("parquet", "orc", "csv", "json", "text")


# ---- what spark.catalog gives --------------------------------------------------------------------


class CatalogMetadata(NamedTuple):
    """A catalog."""

    name: str
    description: str | None


class Database(NamedTuple):
    """A database."""

    name: str
    catalog: str | None
    description: str | None
    locationUri: str


class Table(NamedTuple):
    """A table or view."""

    name: str
    catalog: str | None
    namespace: list[str] | None
    description: str | None
    tableType: str
    isTemporary: bool

    @property
    def database(self) -> str | None:
        """The database, where the namespace is one name."""
        return self.namespace[0] if self.namespace and len(self.namespace) == 1 else None


class Column(NamedTuple):
    """A column of a table."""

    name: str
    description: str | None
    dataType: str
    nullable: bool
    isPartition: bool
    isBucket: bool
    isCluster: bool


class Function(NamedTuple):
    """A function."""

    name: str
    catalog: str | None
    namespace: list[str] | None
    description: str | None
    className: str
    isTemporary: bool


def _shown(view: View) -> Table:
    namespace = [GLOBAL] if view.everywhere else []
    return Table(view.name, None, namespace, None, "TEMPORARY", True)


def _stored(table: StoredTable) -> Table:
    kind = "MANAGED" if table.managed else "EXTERNAL"
    return Table(table.name, CATALOG, [table.database], None, kind, False)


def matches(name: str, pattern: str | None) -> bool:
    """Whether a name is like a pattern of SHOW: `*` is anything, `|` stands between choices."""
    if pattern is None:
        return True
    choices = pattern.lower().split("|")
    return any(fnmatch.fnmatchcase(name.lower(), choice.strip()) for choice in choices)


class Catalog:
    """What there is by name: `spark.catalog`."""

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._views: Views = session._views
        self._engine: QueryEngine = session._engine

    # ---- catalogs and databases ------------------------------------------------------------------

    def currentCatalog(self) -> str:
        """The only catalog.

        >>> spark.catalog.currentCatalog()
        'spark_catalog'
        """
        return CATALOG

    def setCurrentCatalog(self, catalogName: str) -> None:
        """Choose a catalog; there is one.

        >>> spark.catalog.setCurrentCatalog("spark_catalog")
        """
        if catalogName != CATALOG:
            raise AnalysisException(
                f"there is no catalog {catalogName}; the only one is {CATALOG}", "CATALOG_NOT_FOUND"
            )

    def listCatalogs(self, pattern: str | None = None) -> list[CatalogMetadata]:
        """All catalogs.

        >>> [catalog.name for catalog in spark.catalog.listCatalogs()]
        ['spark_catalog']
        """
        return [CatalogMetadata(CATALOG, None)] if matches(CATALOG, pattern) else []

    def currentDatabase(self) -> str:
        """The database that names without one mean.

        >>> spark.catalog.currentDatabase()
        'default'
        """
        return self._views.warehouse.current

    def setCurrentDatabase(self, dbName: str) -> None:
        """Choose the database that names without one mean.

        >>> spark.catalog.setCurrentDatabase("default")
        """
        self._views.warehouse.current = self._views.warehouse.need(dbName)
        self._engine.database = self._views.warehouse.current

    def listDatabases(self, pattern: str | None = None) -> list[Database]:
        """All databases.

        >>> [database.name for database in spark.catalog.listDatabases()]
        ['default']
        """
        names = self._views.warehouse.databases()
        return [self.getDatabase(name) for name in names if matches(name, pattern)]

    def getDatabase(self, dbName: str) -> Database:
        """A database by name.

        >>> spark.catalog.getDatabase("default").name
        'default'
        """
        name = self._views.warehouse.need(dbName)
        folder = name_of(self._views.warehouse.usual_path(name, "").rstrip("/"))
        return Database(name, CATALOG, "default database" if name == DEFAULT else "", folder)

    def databaseExists(self, dbName: str) -> bool:
        """Whether there is a database.

        >>> spark.catalog.databaseExists("other")
        False
        """
        return dbName.lower() in self._views.warehouse.databases()

    # ---- views -----------------------------------------------------------------------------------

    def listTables(self, dbName: str | None = None, pattern: str | None = None) -> list[Table]:
        """The tables of a database, and the temporary views.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> [table.name for table in spark.catalog.listTables(pattern="num*")]
        ['numbers']
        """
        everywhere = dbName is not None and dbName.lower() == GLOBAL
        views = [*(self._views.all(True) if everywhere else ()), *self._views.all()]
        found = [_shown(view) for view in views if matches(view.name, pattern)]
        if everywhere:
            return found
        database = None if dbName is None else self._views.warehouse.need(dbName)
        stored = self._views.warehouse.tables(database)
        return [*(_stored(each) for each in stored if matches(each.name, pattern)), *found]

    def getTable(self, tableName: str) -> Table:
        """A view by name.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> spark.catalog.getTable("numbers").isTemporary
        True
        """
        view = self._views.find(parts_of(tableName))
        table = self._views.warehouse.find(parts_of(tableName))
        if view is None and table is not None:
            return _stored(table)
        if view is None:
            self._views.relation(parts_of(tableName))  # says that it is not there
            raise NotImplementedError(f"Catalog.getTable of files: {tableName}")
        return _shown(view)

    def tableExists(self, tableName: str, dbName: str | None = None) -> bool:
        """Whether there is a view of a name.

        >>> spark.catalog.tableExists("never made")
        False
        """
        parts = parts_of(tableName)
        parts = parts if dbName is None else (dbName, *parts)
        there = self._views.find(parts) or self._views.warehouse.find(parts)
        return there is not None

    def listColumns(self, tableName: str, dbName: str | None = None) -> list[Column]:
        """The columns of a view.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> [(column.name, column.dataType) for column in spark.catalog.listColumns("numbers")]
        [('id', 'bigint')]
        """
        parts = parts_of(tableName)
        parts = parts if dbName is None else (dbName, *parts)
        plan = self._views.relation(parts)
        table = None if self._views.find(parts) else self._views.warehouse.find(parts)
        folders = () if table is None else table.partitions
        return [
            Column(a.name, None, a.kind.simpleString(), a.null, a.name in folders, False, False)
            for a in plan.output
        ]

    def dropTempView(self, viewName: str) -> bool:
        """Forget a view; whether there was one.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> spark.catalog.dropTempView("numbers"), spark.catalog.dropTempView("numbers")
        (True, False)
        """
        return self._views.drop((viewName,)) is not None

    def dropGlobalTempView(self, viewName: str) -> bool:
        """Forget a view of all sessions; whether there was one.

        >>> spark.catalog.dropGlobalTempView("never made")
        False
        """
        return self._views.drop((GLOBAL, viewName)) is not None

    # ---- keeping ---------------------------------------------------------------------------------

    def isCached(self, tableName: str) -> bool:
        """Whether a view is kept.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> spark.catalog.isCached("numbers")
        False
        """
        return self._engine.level(self._views.relation(parts_of(tableName))) is not None

    def cacheTable(self, tableName: str, storageLevel: StorageLevel | None = None) -> None:
        """Keep a view once it is computed.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> spark.catalog.cacheTable("numbers")
        >>> spark.catalog.isCached("numbers")
        True
        >>> spark.catalog.uncacheTable("numbers")
        """
        plan = self._views.relation(parts_of(tableName))
        self._engine.cache(plan, storageLevel or StorageLevel.MEMORY_AND_DISK)

    def uncacheTable(self, tableName: str) -> None:
        """Keep a view no longer.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> spark.catalog.uncacheTable("numbers")
        """
        self._engine.unpersist(self._views.relation(parts_of(tableName)))

    def clearCache(self) -> None:
        """Keep nothing any longer.

        >>> spark.catalog.clearCache()
        """
        self._engine.cached.clear()

    def refreshTable(self, tableName: str) -> None:
        """Forget what is kept of a view, so that it is computed again.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> spark.catalog.refreshTable("numbers")
        """
        plan = self._views.relation(parts_of(tableName))
        level = self._engine.level(plan)
        if level is not None:
            self._engine.unpersist(plan)
            self._engine.cache(plan, level)

    # ---- tables ----------------------------------------------------------------------------------

    def createTable(
        self,
        tableName: str,
        path: str | None = None,
        source: str | None = None,
        schema: t.StructType | None = None,
        description: str | None = None,
        **options: str,
    ) -> DataFrame:
        """Make a table that stays, and give its DataFrame.

        Parameters
        ----------
        tableName : str
            The table.
        path : str, optional
            Where its files are, which then are not deleted with it.
        source : str, optional
            The format.
        schema : StructType, optional
            Its columns; without them those of the files at `path`.
        description : str, optional
            What is told of it; it is not kept.
        **options
            Of the format.
        """
        parts, session = parts_of(tableName), self._session
        there = self._views.warehouse.find(parts)
        if there is not None:
            raise tables.taken(there.full)
        if schema is None and path is None:
            raise AnalysisException("a table needs a schema", "UNABLE_TO_INFER_SCHEMA")
        columns = schema
        if columns is None:
            form = source or session.conf.get("spark.sql.sources.default", "parquet") or "parquet"
            columns = session.read.format(form).options(**options).load(path).schema
        table = tables.new_table(session, parts, source, columns, (), options, path)
        tables.create(session, table)
        return session.table(tableName)

    def createDatabase(
        self, dbName: str, ifNotExists: bool = False, properties: dict[str, str] | None = None
    ) -> None:
        """Make a database; properties are not kept, so they are refused."""
        if properties:
            raise NotImplementedError("Catalog.createDatabase with properties is not there")
        self._views.warehouse.create_database(dbName, ifNotExists)

    def dropDatabase(self, dbName: str, ifExists: bool = False, cascade: bool = False) -> None:
        """Take a database away, with its tables if `cascade`."""
        self._views.warehouse.drop_database(dbName, ifExists, cascade)
        self._engine.database = self._views.warehouse.current

    def dropTable(self, tableName: str, ifExists: bool = False, purge: bool = False) -> None:
        """Take a table away, with its files if they are below the warehouse's folder."""
        table = self._views.warehouse.find(parts_of(tableName))
        if table is not None:
            self._views.warehouse.drop(table)
        elif not ifExists:
            tables.needed(self._session, parts_of(tableName))

    def dropView(self, viewName: str, ifExists: bool = False) -> None:
        """Forget a view."""
        if self._views.drop(parts_of(viewName)) is None and not ifExists:
            raise AnalysisException(f"there is no view {viewName}", "TABLE_OR_VIEW_NOT_FOUND")

    def truncateTable(self, tableName: str) -> None:
        """Take all rows of a table away."""
        tables.truncate(tables.needed(self._session, parts_of(tableName)), self._session)

    def listViews(self, dbName: str | None = None, pattern: str | None = None) -> list[Table]:
        """The temporary views.

        >>> spark.range(1).createOrReplaceTempView("numbers")
        >>> [view.name for view in spark.catalog.listViews(pattern="num*")]
        ['numbers']
        """
        return [each for each in self.listTables(dbName, pattern) if each.isTemporary]

    def createExternalTable(
        self,
        tableName: str,
        path: str | None = None,
        source: str | None = None,
        schema: t.StructType | None = None,
        **options: str,
    ) -> DataFrame:
        """The older name of `createTable`."""
        return self.createTable(tableName, path, source, schema, **options)

    # ---- functions -------------------------------------------------------------------------------

    def listFunctions(
        self, dbName: str | None = None, pattern: str | None = None
    ) -> list[Function]:
        """The functions that SQL knows.

        >>> [function.name for function in spark.catalog.listFunctions(pattern="coal*")]
        ['coalesce']
        """
        return [_function(name) for name in sorted(TABLE) if matches(name, pattern)]

    def functionExists(self, functionName: str, dbName: str | None = None) -> bool:
        """Whether there is a function.

        >>> spark.catalog.functionExists("count")
        True
        """
        return functionName.lower() in TABLE

    def getFunction(self, functionName: str) -> Function:
        """A function by name.

        >>> spark.catalog.getFunction("count").name
        'count'
        """
        if functionName.lower() not in TABLE:
            raise AnalysisException(f"there is no function {functionName}", "ROUTINE_NOT_FOUND")
        return _function(functionName.lower())

    def registerFunction(self, name: str, f: Any, returnType: Any = None) -> Any:
        """The older name of `spark.udf.register`."""
        return self._session.udf.register(name, f, returnType)

    def __getattr__(self, name: str) -> NoReturn:
        if name in _NOT_YET:
            raise NotImplementedError(f"Catalog.{name} is not there")
        raise AttributeError(f"'Catalog' object has no attribute {name!r}")


_NOT_YET = frozenset(
    {
        "analyzeTable",
        "getCreateTableString",
        "getTableProperties",
        "listPartitions",
        "recoverPartitions",
        "refreshByPath",
    }
)


def _function(name: str) -> Function:
    kind = "aggregate" if isinstance(TABLE[name], AggregateEntry) else "function"
    return Function(name, None, None, kind, f"minispark.{name}", True)
