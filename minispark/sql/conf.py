"""The settings of a SparkSession: `spark.conf`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minispark.errors import PySparkValueError
from minispark.settings import is_known, is_runtime
from minispark.sql.zones import local_zone

if TYPE_CHECKING:
    from minispark.context import SparkContext

_NOTHING: Any = object()


def as_text(value: Any) -> str:
    """A setting's value as text: true and false as Spark writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_USUAL: dict[str, Callable[[], str]] = {  # what counts where nothing was said
    "spark.sql.session.timeZone": local_zone,
    "spark.sql.ansi.enabled": lambda: "true",
    "spark.sql.caseSensitive": lambda: "false",
    "spark.sql.sources.default": lambda: "parquet",
    "minispark.sql.singleNode": lambda: "auto",
}


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
        self._own[key] = as_text(value)

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
        if default is _NOTHING and key in _USUAL:
            return _USUAL[key]()
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
        return not is_known(key) or is_runtime(key)
