"""SparkSession, the entry that programs begin with. It has no DataFrames yet."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from minispark.conf import SparkConf
from minispark.context import SparkContext
from minispark.errors import PySparkRuntimeError, PySparkValueError
from minispark.settings import is_known
from minispark.version import __version__

_NOTHING: Any = object()


def _text(value: Any) -> str:
    """A setting's value as text: true and false as Spark writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class RuntimeConfig:
    """Settings of a session, over those of its SparkContext.

    Examples
    --------
    >>> spark.conf.set("program.colour", "red")
    >>> spark.conf.get("program.colour")
    'red'
    """

    def __init__(self, sc: SparkContext) -> None:
        self._sc = sc
        self._own: dict[str, str] = {}

    def set(self, key: str, value: str | int | bool) -> None:
        """Set a key for this session.

        Raises
        ------
        ValueError
            The setting counts when the SparkContext is made, so it cannot change now.

        Examples
        --------
        >>> spark.conf.set("program.count", 3)
        >>> spark.conf.get("program.count")
        '3'
        """
        if not self.isModifiable(key):
            raise PySparkValueError(
                f"{key} counts when the SparkContext is made: set it in SparkSession.builder",
                "CANNOT_MODIFY_CONFIG",
                {"key": key},
            )
        self._own[key] = _text(value)

    def get(self, key: str, default: str | None = _NOTHING) -> str | None:
        """The value of a key, or `default`.

        Raises
        ------
        ValueError
            It is not set, and there is no default.

        Examples
        --------
        >>> spark.conf.get("never.set", "nothing")
        'nothing'
        """
        found = self._own.get(key, self._sc._conf.get(key))
        if found is not None:
            return found
        if default is _NOTHING:
            raise PySparkValueError(f"{key} is not set", "SQL_CONF_NOT_FOUND", {"key": key})
        return default

    @property
    def getAll(self) -> dict[str, str]:
        """All keys with their values.

        >>> spark.conf.getAll["spark.master"] == sc.master
        True
        """
        return {**dict(self._sc._conf.getAll()), **self._own}

    def unset(self, key: str) -> None:
        """Forget what this session set.

        >>> spark.conf.set("program.colour", "red")
        >>> spark.conf.unset("program.colour")
        >>> spark.conf.get("program.colour", "nothing")
        'nothing'
        """
        if not self.isModifiable(key):
            raise PySparkValueError(
                f"{key} counts when the SparkContext is made", "CANNOT_MODIFY_CONFIG", {"key": key}
            )
        self._own.pop(key, None)

    def isModifiable(self, key: str) -> bool:
        """Whether `set` may change a key now.

        >>> spark.conf.isModifiable("spark.master"), spark.conf.isModifiable("program.colour")
        (False, True)
        """
        return not is_known(key)


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
        self._options.update((name, _text(each)) for name, each in pairs)
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

    def enableHiveSupport(self) -> NoReturn:
        """Not there: Hive.

        >>> SparkSession.builder.enableHiveSupport()
        Traceback (most recent call last):
        NotImplementedError: SparkSession.builder.enableHiveSupport is not there
        """
        raise NotImplementedError("SparkSession.builder.enableHiveSupport is not there")

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
        with SparkSession._lock:
            session = SparkSession.getActiveSession() or SparkSession._default
            if session is None or session._is_stopped:
                made = SparkContext._active_spark_context is None
                sc = SparkContext.getOrCreate(SparkConf().setAll(self._options.items()))
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
            elif self.conf.get(key, None) != _text(value):
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

    # ---- not there yet ---------------------------------------------------------------------------

    def __getattr__(self, name: str) -> NoReturn:
        if name in _NOT_YET:
            raise NotImplementedError(
                f"SparkSession.{name} is not there yet; use spark.sparkContext and Datasets"
            )
        raise AttributeError(f"'SparkSession' object has no attribute {name!r}")


_NOT_YET = frozenset(
    {
        "catalog",
        "clearProgressHandlers",
        "client",
        "copyFromLocalToFs",
        "createDataFrame",
        "dataSource",
        "emptyDataFrame",
        "interruptOperation",
        "interruptTag",
        "profile",
        "range",
        "read",
        "readStream",
        "registerProgressHandler",
        "removeProgressHandler",
        "sql",
        "streams",
        "table",
        "tvf",
        "udf",
        "udtf",
    }
)
