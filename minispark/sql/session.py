"""SparkSession, the entry that programs begin with."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from executors.orders import IMPORTS
from minispark.conf import SparkConf
from minispark.context import SparkContext
from minispark.dataset.dataset import Dataset
from minispark.errors import IllegalArgumentException, PySparkRuntimeError
from minispark.sql.catalog import Catalog, Views
from minispark.sql.conf import RuntimeConfig, as_text, checked
from minispark.sql.creating import plan_of
from minispark.sql.dataframe.dataframe import DataFrame
from minispark.sql.engine import QueryEngine
from minispark.sql.functions.python import UserDefinedFunction
from minispark.sql.queries import run_sql as _run_sql
from minispark.sql.reader import DataFrameReader
from minispark.sql.udf import UDFRegistration
from minispark.sql.udtf import UDTFRegistration, UserDefinedTableFunction
from minispark.sql.warehouse import parts_of
from minispark.version import __version__
from planner.columns.expressions import Attr
from planner.columns.functions.registry import Settings
from planner.columns.types import LONG
from planner.query import logical as l
from planner.site import call_site

_IMPORTS = "polars executors.relational.fragments"  # what the first query would wait for


class Builder:
    """Collects settings, then gives the session: `SparkSession.builder`.

    Examples
    --------
    >>> spark = SparkSession.builder.appName("counting").getOrCreate()
    >>> spark.sparkContext.range(3).count()
    3
    """

    def __init__(self) -> None:
        self._options: dict[str, str] = {}

    def config(
        self,
        key: str | None = None,
        value: Any = None,
        conf: SparkConf | None = None,
        *,
        map: Mapping[str, Any] | None = None,
    ) -> Self:
        """Set a key to a value, or all keys of a SparkConf or of a mapping.

        >>> SparkSession.builder.config("program.a", 1).config(map={"program.b": True})._options
        {'program.a': '1', 'program.b': 'true'}
        """
        pairs: list[tuple[str, Any]] = [] if key is None else [(key, value)]
        pairs += conf.getAll() if conf is not None else []
        pairs += list(map.items()) if map is not None else []
        self._options.update((name, as_text(each)) for name, each in pairs)
        return self

    def master(self, master: str) -> Self:
        """Say where tasks run: see SparkContext.

        >>> SparkSession.builder.master("local[2]")._options
        {'spark.master': 'local[2]'}
        """
        return self.config("spark.master", master)

    def appName(self, name: str) -> Self:
        """Name the program.

        >>> SparkSession.builder.appName("counting")._options
        {'spark.app.name': 'counting'}
        """
        return self.config("spark.app.name", name)

    def remote(self, url: str) -> NoReturn:
        """Not there: Spark Connect.

        >>> SparkSession.builder.remote("sc://somewhere")
        Traceback (most recent call last):
        NotImplementedError: SparkSession.builder.remote is not there; use master()
        """
        raise NotImplementedError("SparkSession.builder.remote is not there; use master()")

    def enableHiveSupport(self) -> Self:
        """There is no Hive, and tables stay without it: this warns, and changes nothing.

        >>> SparkSession.builder.enableHiveSupport()._options
        {}
        """
        warnings.warn(
            "enableHiveSupport has no effect: tables that stay need no Hive, they are folders "
            "below spark.sql.warehouse.dir",
            stacklevel=2,
        )
        return self

    def create(self) -> NoReturn:
        """Not there: Spark Connect.

        >>> SparkSession.builder.create()
        Traceback (most recent call last):
        NotImplementedError: SparkSession.builder.create is not there; use getOrCreate()
        """
        raise NotImplementedError("SparkSession.builder.create is not there; use getOrCreate()")

    def getOrCreate(self) -> SparkSession:
        """The active session with these settings, or a new one.

        >>> SparkSession.builder.getOrCreate() is SparkSession.builder.getOrCreate()
        True
        """
        self._options = {key: checked(key, value) for key, value in self._options.items()}
        with SparkSession._lock:
            session = SparkSession.getActiveSession() or SparkSession._default
            if session is None or session._is_stopped:
                made = SparkContext._active_spark_context is None
                options = {**({IMPORTS: _IMPORTS} if made else {}), **self._options}
                sc = SparkContext.getOrCreate(SparkConf().setAll(options.items()))
                session = SparkSession(sc)
                if made:
                    return session
            session._take_options(self._options)
            return session


class _MakesBuilder:
    """`SparkSession.builder`: a fresh one each time it is asked for."""

    def __get__(self, instance: object, owner: type) -> Builder:
        return Builder()


class SparkSession:
    """A session over a SparkContext.

    Examples
    --------
    >>> spark.sparkContext.parallelize([1, 2, 3]).sum()
    6
    """

    Builder = Builder
    builder = _MakesBuilder()
    _default: ClassVar[SparkSession | None] = None
    _active = threading.local()
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(
        self,
        sparkContext: SparkContext,
        jsparkSession: Any = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._sc = sparkContext
        self._runtime_conf = RuntimeConfig(sparkContext)
        self._engine = QueryEngine(sparkContext, self._runtime_conf)
        self._views = Views(self)
        self._functions: dict[str, UserDefinedFunction] = {}
        self._table_functions: dict[str, UserDefinedTableFunction] = {}
        self._take_options(options or {})
        if SparkSession._default is None or SparkSession._default._is_stopped:
            SparkSession._default = self
        SparkSession._active.session = self

    def _take_options(self, options: Mapping[str, Any]) -> None:
        """Set what can be set now; what cannot is told."""
        late = []
        for key, value in options.items():
            if self.conf.isModifiable(key):
                self.conf.set(key, value)
            elif self.conf.get(key, None) != as_text(value):
                late.append(key)
        if late:
            warnings.warn(
                f"the SparkContext is there already, so these have no effect: {', '.join(late)}",
                stacklevel=4,
            )

    @property
    def _is_stopped(self) -> bool:
        return self._sc._open_session is None

    # ---- its life --------------------------------------------------------------------------------

    @classmethod
    def getActiveSession(cls) -> SparkSession | None:
        """The session of this thread, or None.

        >>> SparkSession.getActiveSession() is not None
        True
        """
        found: SparkSession | None = getattr(cls._active, "session", None)
        return None if found is None or found._is_stopped else found

    @classmethod
    def active(cls) -> SparkSession:
        """The session of this thread, or the first of the process.

        Raises
        ------
        PySparkRuntimeError
            There is none.

        Examples
        --------
        >>> isinstance(SparkSession.active(), SparkSession)
        True
        """
        found = cls.getActiveSession() or cls._default
        if found is None or found._is_stopped:
            raise PySparkRuntimeError(errorClass="NO_ACTIVE_SESSION")
        return found

    def newSession(self) -> SparkSession:
        """Another session over the same SparkContext, with settings of its own.

        >>> spark.newSession().sparkContext is spark.sparkContext
        True
        """
        before = SparkSession.getActiveSession()
        made = SparkSession(self.sparkContext)
        SparkSession._active.session = before
        return made

    def stop(self) -> None:
        """Stop the SparkContext, and with it all its sessions.

        >>> from minispark.sql import SparkSession
        >>> spark.stop()
        >>> spark = SparkSession.builder.master("local[2]").getOrCreate()
        """
        self._sc.stop()
        with SparkSession._lock:
            SparkSession._default = None
            SparkSession._active.session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SparkSession master={self._sc.master} appName={self._sc.appName}>"

    def _repr_html_(self) -> str:
        return f"<div><p><b>SparkSession</b></p>{self._sc._repr_html_()}</div>"

    # ---- what it knows ---------------------------------------------------------------------------

    @property
    def sparkContext(self) -> SparkContext:
        """The SparkContext.

        >>> spark.sparkContext.range(3).collect()
        [0, 1, 2]
        """
        return self._sc

    @property
    def conf(self) -> RuntimeConfig:
        """The settings of this session.

        >>> spark.conf.get("spark.master") == spark.sparkContext.master
        True
        """
        return self._runtime_conf

    @property
    def version(self) -> str:
        """The version of minispark.

        >>> spark.version == spark.sparkContext.version
        True
        """
        return __version__

    # ---- jobs and files --------------------------------------------------------------------------

    def addTag(self, tag: str) -> None:
        """As SparkContext.addJobTag.

        >>> spark.addTag("slow")
        >>> spark.getTags()
        {'slow'}
        >>> spark.clearTags()
        """
        self._sc.addJobTag(tag)

    def removeTag(self, tag: str) -> None:
        """As SparkContext.removeJobTag.

        >>> spark.removeTag("slow")
        """
        self._sc.removeJobTag(tag)

    def getTags(self) -> set[str]:
        """As SparkContext.getJobTags.

        >>> spark.getTags()
        set()
        """
        return self._sc.getJobTags()

    def clearTags(self) -> None:
        """As SparkContext.clearJobTags.

        >>> spark.clearTags()
        """
        self._sc.clearJobTags()

    def interruptAll(self) -> list[str]:
        """Cancel all jobs; gives the ids of those that ran.

        >>> spark.interruptAll()
        []
        """
        running = self._sc.statusTracker().getActiveJobsIds()
        self._sc.cancelAllJobs()
        return [str(job) for job in running]

    def addArtifacts(
        self, *path: str, pyfile: bool = False, archive: bool = False, file: bool = False
    ) -> None:
        """Give tasks files: modules to import, archives, or plain files.

        Raises
        ------
        ValueError
            More than one of the three is asked for.

        Examples
        --------
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "helper_of_tasks.py")
        >>> with open(path, "w") as module:
        ...     _ = module.write("answer = 42")
        >>> spark.addArtifacts(path, pyfile=True)
        """
        if pyfile + archive + file > 1:
            raise ValueError("ask for one of pyfile, archive and file")
        for each in path:
            if pyfile:
                self._sc.addPyFile(each)
            elif archive:
                self._sc.addArchive(each)
            else:
                self._sc.addFile(each)

    addArtifact = addArtifacts

    # ---- DataFrames ------------------------------------------------------------------------------

    def _dataframe(self, plan: l.Plan) -> DataFrame:
        """The DataFrame of a plan."""
        return DataFrame(plan, self)

    def createDataFrame(
        self,
        data: Any,
        schema: Any = None,
        samplingRatio: float | None = None,
        verifySchema: bool = True,
    ) -> DataFrame:
        """A DataFrame of data that the program has.

        Parameters
        ----------
        data : list, Dataset, pandas or Polars frame, Arrow table or NumPy array
            Rows are tuples, lists, dicts, Rows or objects.
        schema : StructType, DataType, str, or list of str, optional
            Types and names, `"a int, b string"` in SQL; or names alone. Types are found in the
            data where they are not given.
        samplingRatio : float, optional
            The share of a Dataset's rows that types are found in; without it the first rows.
        verifySchema : bool
            Whether a value of a wrong type is an error (and not NULL).

        Examples
        --------
        >>> spark.createDataFrame([("Ann", 3)], ["name", "age"]).collect()
        [Row(name='Ann', age=3)]
        >>> spark.createDataFrame([{"name": "Ann", "age": 3}]).dtypes
        [('age', 'bigint'), ('name', 'string')]
        """
        return self._dataframe(plan_of(self, data, schema, samplingRatio, verifySchema))

    def emptyDataFrame(self, schema: Any) -> DataFrame:
        """A DataFrame without rows.

        >>> spark.emptyDataFrame("a int").count()
        0
        """
        return self.createDataFrame([], schema)

    def range(
        self, start: int, end: int | None = None, step: int = 1, numPartitions: int | None = None
    ) -> DataFrame:
        """Whole numbers in a column `id`: below `start`, or from `start` to below `end`.

        >>> spark.range(1, 7, 2).collect()
        [Row(id=1), Row(id=3), Row(id=5)]
        """
        first, last = (0, start) if end is None else (start, end)
        if step == 0:
            raise IllegalArgumentException("step must not be 0")
        if numPartitions is not None and numPartitions < 1:
            raise IllegalArgumentException(
                f"the number of partitions must be positive, not {numPartitions}"
            )
        slices = numPartitions or self._sc.defaultParallelism
        site = call_site()
        attr = Attr("id", LONG, False)
        return self._dataframe(l.Range(attr, int(first), int(last), int(step), slices, site=site))

    def table(self, tableName: str) -> DataFrame:
        """The DataFrame of a view or table.

        >>> spark.range(3).createOrReplaceTempView("three")
        >>> spark.table("three").count()
        3
        """
        parts = parts_of(tableName)
        return self._dataframe(l.Known(self.relation(parts), (parts[-1],)))

    def sql(
        self, sqlQuery: str, args: dict[str, Any] | list[Any] | None = None, **kwargs: Any
    ) -> DataFrame:
        """The DataFrame of a query, or the answer of a command.

        Parameters
        ----------
        sqlQuery : str
            A statement.
        args : dict or list, optional
            Values of `:name`, or of each `?`.

        Examples
        --------
        >>> spark.sql("SELECT id * 2 AS n FROM range(3) WHERE id > :least", {"least": 0}).collect()
        [Row(n=2), Row(n=4)]
        """
        return _run_sql(self, sqlQuery, args, kwargs)

    @property
    def catalog(self) -> Catalog:
        """What there is by name: views, functions.

        >>> spark.catalog.currentDatabase()
        'default'
        """
        return Catalog(self)

    @property
    def read(self) -> DataFrameReader:
        """The way from files.

        >>> type(spark.read).__name__
        'DataFrameReader'
        """
        return DataFrameReader(self, self._dataframe)

    @property
    def udf(self) -> UDFRegistration:
        """Python functions under names that SQL can use."""
        return UDFRegistration(self)

    @property
    def udtf(self) -> UDTFRegistration:
        """Table functions in Python under names that SQL can use."""
        return UDTFRegistration(self)

    # ---- names -----------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """What of the settings decides answers."""
        return self._engine.settings

    def relation(self, parts: tuple[str, ...]) -> l.Plan:
        """The plan of a view; new columns each time, so that it can stand beside itself.

        Raises
        ------
        AnalysisException
            There is no such view.
        """
        return self._views.relation(parts)

    def _add_view(self, name: str, plan: l.Plan, replace: bool, everywhere: bool = False) -> None:
        self._views.add(parts_of(name), plan, replace, everywhere)

    def __getattr__(self, name: str) -> NoReturn:
        if name in _NOT_YET:
            raise NotImplementedError(f"SparkSession.{name} is not there yet")
        raise AttributeError(f"'SparkSession' object has no attribute {name!r}")


def _to_df(self: Dataset, schema: Any = None, sampleRatio: float | None = None) -> DataFrame:
    """The rows as a DataFrame.

    >>> sc.parallelize([(1, "a")]).toDF(["n", "w"]).collect()
    [Row(n=1, w='a')]
    """
    return SparkSession.active().createDataFrame(self, schema, sampleRatio)


UserDefinedTableFunction.session = SparkSession.active
Dataset.toDF = _to_df  # type: ignore[attr-defined]


_NOT_YET = frozenset(
    {
        "clearProgressHandlers",
        "client",
        "copyFromLocalToFs",
        "dataSource",
        "interruptOperation",
        "interruptTag",
        "profile",
        "readStream",
        "registerProgressHandler",
        "removeProgressHandler",
        "streams",
        "tvf",
    }
)
