"""SparkContext: the one entry to an engine. What it does is spread over its subjects:

`sources.py` makes datasets, `jobs.py` runs and cancels, `shipping.py` gives tasks files,
`watching.py` shows what happens, `about.py` tells what program this is.
"""

from __future__ import annotations

import atexit
import logging
import os
import posixpath
import sys
import threading
import time
import uuid
import warnings
from types import TracebackType
from typing import Any, ClassVar, NoReturn, Self

from executors import current
from executors.formats import files
from minispark.about import About
from minispark.accumulators import Accumulator, AccumulatorParam, apply_updates, default_param
from minispark.broadcast import Broadcast
from minispark.conf import SparkConf
from minispark.errors import PySparkRuntimeError
from minispark.files import SparkFiles
from minispark.jobs import Jobs
from minispark.profiler import BasicProfiler, Profiler, ProfilerCollector
from minispark.resource.discovery import driver_resources
from minispark.serializers import CloudPickleSerializer, PickleSerializer, Serializer
from minispark.session import Session
from minispark.settings import check, parse_count, value_of
from minispark.shipping import Shipping
from minispark.sources import Sources
from minispark.tracebacks import quiet_notebook, quiet_script
from minispark.watching import Watching
from planner.site import Site, call_site

_LEVELS = {
    "ALL": 1,
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
    "OFF": logging.CRITICAL + 1,
}


class SparkContext(Sources, Jobs, Shipping, Watching, About):
    """An engine with its executors; there is one at a time in a process.

    Parameters
    ----------
    master : str, optional
        Where tasks run: `local[n]` (worker processes, the default with all cores), `inline[n]`
        (this process, for debugging), `ray`, `ray[n]`, or `host:port` of a Ray cluster. If not
        given, the setting `spark.master`, else the variable MINISPARK_MASTER.
    appName : str, optional
        A name for the program.
    sparkHome : str, optional
        Kept for programs that give it.
    pyFiles : list of str, optional
        Files for `addPyFile`.
    environment : dict of str to str, optional
        Environment variables of the executors.
    batchSize : int
        `parallelize` cuts collections between batches of this many elements; 0: of up to 1024.
    serializer : Serializer
        Kept for programs that give it; rows travel pickled.
    conf : SparkConf, optional
        Settings; the other arguments win over them.
    gateway, jsc
        Must not be given: there is no JVM.
    profiler_cls : type
        The Profiler to use where `spark.python.profile` is set.
    udf_profiler_cls, memory_profiler_cls : type
        Not there yet.

    Raises
    ------
    ValueError
        There is a context already, or the master or a setting cannot be understood.
    PySparkRuntimeError
        This is a task.

    Examples
    --------
    >>> sc.parallelize([1, 2, 3]).map(lambda x: x * x).collect()
    [1, 4, 9]
    """

    _active_spark_context: ClassVar[SparkContext | None] = None
    _lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(
        self,
        master: str | None = None,
        appName: str | None = None,
        sparkHome: str | None = None,
        pyFiles: list[str] | None = None,
        environment: dict[str, Any] | None = None,
        batchSize: int = 0,
        serializer: Serializer = CloudPickleSerializer(),  # noqa: B008 - it has no state
        conf: SparkConf | None = None,
        gateway: Any = None,
        jsc: Any = None,
        profiler_cls: type[Profiler] = BasicProfiler,
        udf_profiler_cls: type[Profiler] | None = None,
        memory_profiler_cls: type[Profiler] | None = None,
    ) -> None:
        self._conf = SparkConf().setAll(conf.getAll() if conf is not None else ())
        self._callsite = call_site()
        self._open_session: Session | None = None
        self._stopped_at: Site | None = None
        self._on_path: list[str] = []
        if any(each is not None for each in (gateway, jsc, udf_profiler_cls, memory_profiler_cls)):
            raise NotImplementedError(
                "SparkContext does not know gateway, jsc, udf_profiler_cls and memory_profiler_cls"
            )
        self._assert_allowed()
        with SparkContext._lock:
            self._refuse_second()
            SparkContext._active_spark_context = self
        try:
            self._batchSize = batchSize
            self._unbatched_serializer = self.serializer = serializer
            self.environment = dict(environment or {})
            self._settle_conf(master, appName, sparkHome)
            self._begin(profiler_cls)
            self._add_files(pyFiles or [])
        except BaseException:
            self.stop()
            raise

    def _assert_allowed(self) -> None:
        allowed = self._conf.get("spark.executor.allowSparkContext", "false").lower() == "true"
        if current.get() is not None and not allowed:
            raise PySparkRuntimeError(errorClass="CONTEXT_ONLY_VALID_ON_DRIVER")

    def _refuse_second(self) -> None:
        first = SparkContext._active_spark_context
        if first is not None:
            site = first._callsite
            raise ValueError(
                "Cannot run multiple SparkContexts at once: there is a SparkContext already "
                f"(app={first._conf.get('spark.app.name')}, "
                f"master={first._conf.get('spark.master')}), made by {site.method} at "
                f"{site.file}:{site.line}: stop() it first, or use SparkContext.getOrCreate()"
            )

    def _settle_conf(self, master: str | None, appName: str | None, home: str | None) -> None:
        """All settings in one place, from the arguments, the conf and the environment."""
        conf = self._conf
        for key, value in (("master", master), ("app.name", appName), ("home", home)):
            if value:
                conf.set(f"spark.{key}", value)
        for key, value in self.environment.items():
            conf.setExecutorEnv(key, value)
        conf.setIfMissing("spark.master", os.environ.get("MINISPARK_MASTER") or "local[*]")
        conf.setIfMissing("spark.app.name", "minispark-shell")
        check(dict(conf.getAll()), stacklevel=5)
        for key, value in conf.getAll():
            if key.startswith("spark.executorEnv."):
                self.environment[key.removeprefix("spark.executorEnv.")] = value
        self.environment["PYTHONHASHSEED"] = os.environ.get("PYTHONHASHSEED", "0")
        self.master: str = conf.get("spark.master", "")
        self.appName: str = conf.get("spark.app.name", "")
        self.sparkHome = conf.get("spark.home")
        self.pythonExec = sys.executable
        self.pythonVer = f"{sys.version_info.major}.{sys.version_info.minor}"
        named = getattr(self.serializer, "serializer", self.serializer)  # the one in batches
        if not isinstance(named, PickleSerializer | CloudPickleSerializer):
            warnings.warn(f"rows travel pickled: {type(named).__name__} is not used", stacklevel=4)

    def _begin(self, profiler_cls: type[Profiler]) -> None:
        """Start the engine, and connect to it what the context offers."""
        conf = dict(self._conf.getAll())
        self._resources = driver_resources(conf)
        if level := value_of(conf, "spark.log.level"):
            self.setLogLevel(level)
        self._startTime = time.time_ns() // 1_000_000
        kind = self.master.partition("[")[0]
        kind = kind if kind in ("local", "inline") else "ray"
        self._conf.set("spark.app.id", f"{kind}-{self._startTime}")
        self._conf.set("spark.app.startTime", self._startTime)
        self._conf.set("spark.executor.id", "driver")
        session = Session(self.master, conf)
        self._open_session = session
        atexit.register(self.stop)
        self._begin_jobs()
        session.add_listener(self._status)
        session.on_accumulated = apply_updates
        if value_of(conf, "spark.ui.showConsoleProgress"):
            self.showProgress()
        quiet_notebook()
        quiet_script()
        self._checkpoint_dir: str | None = None
        self._begin_shipping(session.files_folder)
        self._temp_dir = os.path.dirname(session.files_folder)
        SparkFiles._sc = self
        self.profiler_collector: ProfilerCollector | None = None
        if value_of(conf, "spark.python.profile"):
            collector = ProfilerCollector(profiler_cls, value_of(conf, "spark.python.profile.dump"))
            session.profiler_of = lambda stage: collector.profiler_of(self, stage)
            self.profiler_collector = collector

    def _add_files(self, given: list[str]) -> None:
        for key, add in (
            ("spark.files", self.addFile),
            ("spark.archives", self.addArchive),
            ("spark.submit.pyFiles", self.addPyFile),
        ):
            for path in filter(None, self._conf.get(key, "").split(",")):
                add(path)
        for path in given:
            self.addPyFile(path)

    # ---- its life --------------------------------------------------------------------------------

    @property
    def _session(self) -> Session:
        """The engine, while there is one."""
        if self._open_session is None:
            where = f"by {self._stopped_at}" if self._stopped_at else "before it had begun"
            raise PySparkRuntimeError(
                errorClass="CONTEXT_STOPPED", messageParameters={"where": where}
            )
        return self._open_session

    def stop(self) -> None:
        """End the executors and free all they hold. The context cannot be used after that.

        >>> from minispark import SparkContext
        >>> sc.stop()
        >>> sc = SparkContext("local[2]", "another")
        """
        session, self._open_session = self._open_session, None
        if session is not None:
            self._stopped_at = call_site("stop")
            atexit.unregister(self.stop)
            self._end_shipping()
            session.stop()
        with SparkContext._lock:
            if SparkContext._active_spark_context is self:
                SparkContext._active_spark_context = None
                SparkFiles._sc = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @classmethod
    def getOrCreate(cls, conf: SparkConf | None = None) -> SparkContext:
        """The context of this process; a new one if there is none.

        Parameters
        ----------
        conf : SparkConf, optional
            Settings for a new one.

        Examples
        --------
        >>> from minispark import SparkContext
        >>> SparkContext.getOrCreate() is sc
        True
        """
        with SparkContext._lock:
            return SparkContext._active_spark_context or cls(conf=conf)

    def __getnewargs__(self) -> NoReturn:
        raise PySparkRuntimeError(errorClass="CONTEXT_ONLY_VALID_ON_DRIVER")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise PySparkRuntimeError(errorClass="CONTEXT_ONLY_VALID_ON_DRIVER")

    def __repr__(self) -> str:
        return f"<SparkContext master={self.master} appName={self.appName}>"

    def _repr_html_(self) -> str:
        state = "stopped" if self._open_session is None else "running"
        rows = (("Version", self.version), ("Master", self.master), ("AppName", self.appName))
        cells = "".join(f"<dt>{name}</dt><dd><code>{text}</code></dd>" for name, text in rows)
        return f"<div><p><b>SparkContext</b> ({state})</p><dl>{cells}</dl></div>"

    # ---- what it knows ---------------------------------------------------------------------------

    @property
    def defaultParallelism(self) -> int:
        """Number of partitions where nobody says: `spark.default.parallelism`, or the task slots.

        >>> sc.defaultParallelism > 0
        True
        """
        session = self._session
        given = self._conf.get("spark.default.parallelism")
        return parse_count(given) if given else session.default_parallelism

    @property
    def defaultMinPartitions(self) -> int:
        """Least number of partitions of files where nobody says: 2, or `defaultParallelism` below.

        >>> sc.defaultMinPartitions <= 2
        True
        """
        return min(self.defaultParallelism, 2)

    def getConf(self) -> SparkConf:
        """A copy of the settings.

        >>> sc.getConf().get("spark.master") == sc.master
        True
        """
        return SparkConf(loadDefaults=False).setAll(self._conf.getAll())

    def setLogLevel(self, logLevel: str) -> None:
        """Say how much the engine logs: ALL, TRACE, DEBUG, INFO, WARN, ERROR, FATAL or OFF.

        Raises
        ------
        ValueError
            It is none of these.

        Examples
        --------
        >>> sc.setLogLevel("WARN")
        """
        level = _LEVELS.get(str(logLevel).upper())
        if level is None:
            raise ValueError(f"unknown log level {logLevel!r}; known are {', '.join(_LEVELS)}")
        logging.getLogger("minispark").setLevel(level)

    # ---- shared variables ------------------------------------------------------------------------

    def broadcast(self, value: Any) -> Broadcast[Any]:
        """Send a read-only value to every worker once.

        Raises
        ------
        pickle.PicklingError
            It cannot be pickled.

        Examples
        --------
        >>> names = sc.broadcast({0: "zero", 1: "one"})
        >>> sc.range(2).map(lambda number: names.value[number]).collect()
        ['zero', 'one']
        """
        return Broadcast(self, value)

    def accumulator(
        self, value: Any, accum_param: AccumulatorParam[Any] | None = None
    ) -> Accumulator[Any]:
        """A value that tasks add to.

        Parameters
        ----------
        value
            What it begins with.
        accum_param : AccumulatorParam, optional
            How to add; not needed for numbers.

        Raises
        ------
        TypeError
            `value` is not a number, and there is no `accum_param`.

        Examples
        --------
        >>> count = sc.accumulator(0)
        >>> sc.range(5).foreach(lambda _: count.add(1))
        >>> count.value
        5
        """
        return Accumulator._new(value, default_param(value) if accum_param is None else accum_param)

    # ---- checkpoints, profiles -------------------------------------------------------------------

    def setCheckpointDir(self, dirName: str) -> None:
        """Name a folder for `Dataset.checkpoint`, on a file system that all executors see.

        A folder of its own is made in it for this context.

        >>> import tempfile
        >>> sc.setCheckpointDir(tempfile.mkdtemp())
        >>> sc.getCheckpointDir().startswith("file:/")
        True
        """
        assert self._session is not None
        place, inside = files.locate(dirName)
        mine = posixpath.join(inside, str(uuid.uuid4()))
        place.system.create_dir(mine, recursive=True)
        self._checkpoint_dir = place.shown(mine)

    def getCheckpointDir(self) -> str | None:
        """The folder that `setCheckpointDir` made, or None.

        >>> isinstance(sc.getCheckpointDir(), str | None)
        True
        """
        return self._checkpoint_dir

    def _profiles(self) -> ProfilerCollector:
        if self.profiler_collector is None:
            raise PySparkRuntimeError(errorClass="INCORRECT_CONF_FOR_PROFILE")
        return self.profiler_collector

    def show_profiles(self) -> None:
        """Print the profiles of the stages that ran.

        Raises
        ------
        PySparkRuntimeError
            `spark.python.profile` is not set.

        Examples
        --------
        >>> sc.show_profiles()
        Traceback (most recent call last):
        minispark.errors.PySparkRuntimeError: [INCORRECT_CONF_FOR_PROFILE] ...
        """
        self._profiles().show_profiles()

    def dump_profiles(self, path: str) -> None:
        """Write the profiles of the stages that ran to a folder, for the pstats module.

        Raises
        ------
        PySparkRuntimeError
            `spark.python.profile` is not set.

        Examples
        --------
        >>> sc.dump_profiles("profiles")
        Traceback (most recent call last):
        minispark.errors.PySparkRuntimeError: [INCORRECT_CONF_FOR_PROFILE] ...
        """
        self._profiles().dump_profiles(path)
