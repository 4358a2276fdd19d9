"""The settings of a SparkSession: `spark.conf`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minispark.errors import (
    AnalysisException,
    IllegalArgumentException,
    PySparkTypeError,
    SparkNoSuchElementException,
)
from minispark.settings import is_known, is_runtime, tell_idle, usual, value_of
from minispark.sql.zones import local_zone
from planner.columns.functions.zones import zone_of

if TYPE_CHECKING:
    from minispark.context import SparkContext

_NOTHING: Any = object()


def as_text(value: Any) -> str:
    """A setting's value as text: true and false as Spark writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def checked(key: str, value: Any) -> str:
    """A setting's value as text.

    Raises
    ------
    IllegalArgumentException
        The setting cannot have it.
    """
    if value is None:
        raise IllegalArgumentException(f"the setting {key} cannot be None: unset() forgets it")
    text = as_text(value)
    try:
        read = value_of({key: text}, key) if is_runtime(key) else text
        text = as_text(read) if isinstance(read, bool) else text  # "True" counts as true
        if key == "spark.sql.session.timeZone":
            zone_of(text)
    except ValueError as error:
        raise IllegalArgumentException(_said(key, error), _code(key, text)) from None
    return text


def _said(key: str, error: ValueError) -> str:
    if key == "spark.sql.session.timeZone":
        return f"setting {key}: {error}; write a name such as Europe/Berlin, or +02:00"
    return str(error)


def _code(key: str, text: str) -> str:
    if key == "spark.sql.session.timeZone":
        return "INVALID_CONF_VALUE.TIME_ZONE"
    if key == "spark.sql.sources.partitionOverwriteMode" or key.endswith("outputTimestampType"):
        return "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS"
    number = text.strip().removeprefix("-").isdigit()
    return f"INVALID_CONF_VALUE.{'REQUIREMENT' if number else 'TYPE_MISMATCH'}"


def _named(key: Any) -> str:
    if not isinstance(key, str):
        raise PySparkTypeError(
            f"the name of a setting is a str, and not {type(key).__name__}: {key!r}",
            "NOT_EXPECTED_TYPE",
        )
    return key


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
        AnalysisException
            The setting counts when the SparkContext is made, so it cannot change now.
        IllegalArgumentException
            The setting cannot have this value.

        Examples
        --------
        >>> spark.conf.set("program.count", 3)
        >>> spark.conf.get("program.count")
        '3'
        """
        if not self.isModifiable(_named(key)):
            raise AnalysisException(
                f"{key} counts when the SparkContext is made: set it in SparkSession.builder",
                "CANNOT_MODIFY_CONFIG",
                {"key": key},
            )
        self._own[key] = checked(key, value)
        tell_idle([key], 3)

    def get(self, key: str, default: str | None = _NOTHING) -> str | None:
        """The value of a key, or `default`.

        Raises
        ------
        SparkNoSuchElementException
            It is not set, and there is no default.

        Examples
        --------
        >>> spark.conf.get("never.set", "nothing")
        'nothing'
        """
        found = self._own.get(_named(key), self._sc._conf.get(key))
        if found is not None:
            return found
        if default is not _NOTHING:
            return default
        found = self._usual(key)
        if found is None:
            raise SparkNoSuchElementException(
                f"{key} is not set", "SQL_CONF_NOT_FOUND", {"key": key}
            )
        return found

    def _usual(self, key: str) -> str | None:
        """What counts where nothing was said."""
        if key == "spark.sql.session.timeZone":
            return local_zone()
        if key == "spark.sql.shuffle.partitions":
            return str(self._sc.defaultParallelism)
        return usual(key) if is_runtime(key) else None

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
        if not self.isModifiable(_named(key)):
            raise AnalysisException(
                f"{key} counts when the SparkContext is made", "CANNOT_MODIFY_CONFIG", {"key": key}
            )
        self._own.pop(key, None)

    def isModifiable(self, key: str) -> bool:
        """Whether `set` may change a key now.

        >>> spark.conf.isModifiable("spark.master"), spark.conf.isModifiable("program.colour")
        (False, True)
        """
        return not is_known(key) or is_runtime(key)
