"""Settings of a program, as PySpark's SparkConf."""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Iterable
from typing import Any, Self, overload

from minispark.errors import PySparkRuntimeError

# What SparkContext.setSystemProperty sets; `spark.*` ones are every SparkConf's defaults.
system_properties: dict[str, str] = {}


def system_property(key: str) -> str | None:
    """A property that was set, or what this system says for the few that it knows."""
    if key in system_properties:
        return system_properties[key]
    return {
        "file.separator": os.sep,
        "path.separator": os.pathsep,
        "line.separator": os.linesep,
        "java.io.tmpdir": tempfile.gettempdir(),
        "os.name": os.uname().sysname,
        "os.arch": os.uname().machine,
        "user.dir": os.getcwd(),
        "user.home": os.path.expanduser("~"),
        "user.name": getpass.getuser(),
    }.get(key)


class SparkConf:
    """Keys and values, all str, that a SparkContext is made with.

    Setters give the conf itself, so that calls can be chained.

    Parameters
    ----------
    loadDefaults : bool
        Begin with the `spark.*` and `minispark.*` keys of `SparkContext.setSystemProperty`.

    Examples
    --------
    >>> conf = SparkConf().setMaster("local[2]").setAppName("counting")
    >>> conf.get("spark.master")
    'local[2]'
    >>> print(conf.toDebugString())
    spark.app.name=counting
    spark.master=local[2]
    """

    def __init__(self, loadDefaults: bool = True, _jvm: Any = None, _jconf: Any = None) -> None:
        self._conf: dict[str, str] = {}
        if loadDefaults:
            ours = ("spark.", "minispark.")
            self._conf.update((k, v) for k, v in system_properties.items() if k.startswith(ours))

    def set(self, key: str, value: Any) -> Self:
        """Set a key to `str(value)`.

        >>> SparkConf().set("spark.default.parallelism", 4).get("spark.default.parallelism")
        '4'
        """
        self._conf[key] = str(value)
        return self

    def setIfMissing(self, key: str, value: Any) -> Self:
        """Set a key that is not set.

        >>> SparkConf().setMaster("local").setIfMissing("spark.master", "ray").get("spark.master")
        'local'
        """
        if not self.contains(key):
            self.set(key, value)
        return self

    def setMaster(self, value: str) -> Self:
        """Say where tasks run: `inline`, `local[4]`, `local[*]`, `ray`, `ray[8]`, `host:port`.

        >>> SparkConf().setMaster("local[4]").get("spark.master")
        'local[4]'
        """
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> Self:
        """Name the program.

        >>> SparkConf().setAppName("counting").get("spark.app.name")
        'counting'
        """
        return self.set("spark.app.name", value)

    def setSparkHome(self, value: str) -> Self:
        """Kept for programs that set it.

        >>> SparkConf().setSparkHome("/opt").get("spark.home")
        '/opt'
        """
        return self.set("spark.home", value)

    def setExecutorEnv(
        self,
        key: str | None = None,
        value: str | None = None,
        pairs: Iterable[tuple[str, str]] | None = None,
    ) -> Self:
        """Set an environment variable of the executors, or several by `pairs`.

        Raises
        ------
        PySparkRuntimeError
            Both a key and pairs are given, or neither.

        Examples
        --------
        >>> SparkConf().setExecutorEnv("TZ", "UTC").get("spark.executorEnv.TZ")
        'UTC'
        """
        if (key is None) == (pairs is None):
            raise PySparkRuntimeError(errorClass="KEY_VALUE_PAIR_REQUIRED")
        for name, text in [(key, value)] if pairs is None else pairs:
            self.set(f"spark.executorEnv.{name}", text)
        return self

    def setAll(self, pairs: Iterable[tuple[str, Any]]) -> Self:
        """Set several keys.

        >>> SparkConf().setAll([("spark.a", "1"), ("spark.b", "2")]).get("spark.b")
        '2'
        """
        for key, value in pairs:
            self.set(key, value)
        return self

    @overload
    def get(self, key: str, defaultValue: None = None) -> str | None: ...

    @overload
    def get(self, key: str, defaultValue: str) -> str: ...

    def get(self, key: str, defaultValue: str | None = None) -> str | None:
        """The value of a key, or `defaultValue`.

        >>> SparkConf().get("spark.none", "nothing")
        'nothing'
        """
        return self._conf.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:
        """All keys with their values.

        >>> SparkConf(False).set("spark.a", "1").getAll()
        [('spark.a', '1')]
        """
        return list(self._conf.items())

    def contains(self, key: str) -> bool:
        """Whether a key is set.

        >>> SparkConf(False).contains("spark.master")
        False
        """
        return key in self._conf

    def toDebugString(self) -> str:
        """All keys with their values, sorted, one a line.

        >>> print(SparkConf(False).set("spark.b", "1").set("spark.a", "2").toDebugString())
        spark.a=2
        spark.b=1
        """
        return "\n".join(f"{key}={value}" for key, value in sorted(self._conf.items()))
