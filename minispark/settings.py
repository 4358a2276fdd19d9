"""The settings that mean something here, as data, and how their values are read.

Spark's names are kept where a setting means the same; ours begin with `minispark.`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SIZES = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_size(text: str | int, unit: str = "b") -> int:
    """Bytes in "512m", "1g", "64kb"; a bare number counts in `unit`.

    Raises
    ------
    ValueError
        That is not a size.

    Examples
    --------
    >>> parse_size("512m"), parse_size("1.5g"), parse_size("6", "m")
    (536870912, 1610612736, 6291456)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([bkmgtp]?)(?:i?b)?\s*", str(text).lower())
    if match is None:
        raise ValueError(f"{text!r} is not a size; write 512m, 1g or a number of bytes")
    return int(float(match[1]) * _SIZES[match[2] or unit])


def parse_seconds(text: str | float, unit: str = "s") -> float:
    """Seconds in "120s", "2min", "500ms"; a bare number counts in `unit`.

    Raises
    ------
    ValueError
        That is not a length of time.

    Examples
    --------
    >>> parse_seconds("500ms"), parse_seconds("2min"), parse_seconds("3")
    (0.5, 120.0, 3.0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(text).lower())
    if match is None or (match[2] and match[2] not in _TIMES):
        raise ValueError(f"{text!r} is not a length of time; write 500ms, 120s or 2min")
    return float(match[1]) * _TIMES[match[2] or unit]


def parse_flag(text: str | bool) -> bool:
    """True or False of "true" or "false", in any case.

    Raises
    ------
    ValueError
        That is neither.

    Examples
    --------
    >>> parse_flag("True"), parse_flag("false")
    (True, False)
    """
    word = str(text).strip().lower()
    if word not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return word == "true"


def parse_count(text: str | int) -> int:
    """A whole number above zero.

    Raises
    ------
    ValueError
        That is not one.

    Examples
    --------
    >>> parse_count("8")
    8
    """
    try:
        count = int(str(text).strip())
    except ValueError:
        count = 0
    if count < 1:
        raise ValueError(f"{text!r} is not a whole number above zero")
    return count


def parse_threshold(text: str | int) -> int:
    """Bytes as `parse_size`; negative for none at all.

    >>> parse_threshold("10m"), parse_threshold("-1")
    (10485760, -1)
    """
    if re.fullmatch(r"\s*-\d+[bkmgtp]*\s*", str(text).lower()):
        return -1
    return parse_size(text)


def parse_one_of(*names: str) -> Callable[[str], str]:
    """What reads one of some names, in any case.

    Examples
    --------
    >>> parse_one_of("static", "dynamic")("STATIC")
    'static'
    """

    def parse(text: str) -> str:
        word = str(text).strip().lower()
        if word not in names:
            raise ValueError(f"{text!r} is none of {', '.join(names)}")
        return word

    return parse


def parse_whole(text: str | int) -> int:
    """A whole number.

    >>> parse_whole("-1")
    -1
    """
    try:
        return int(str(text).strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number") from None


@dataclass(frozen=True)
class Setting:
    """A key, how its text is read, what holds when it is not set, and what it means."""

    key: str
    parse: Callable[[str], Any]
    default: str | None
    meaning: str


SETTINGS = (
    Setting("spark.app.name", str, None, "A name for the program, shown in pictures and reports."),
    Setting("spark.app.id", str, None, "The program's id; set by the SparkContext."),
    Setting("spark.app.startTime", str, None, "When it began, in ms; set by the SparkContext."),
    Setting("spark.executor.id", str, None, "`driver`; set by the SparkContext."),
    Setting("spark.home", str, None, "Kept for programs that ask for it."),
    Setting("spark.master", str, "local[*]", "Where: inline[n], local[n], ray[n] or host:port."),
    Setting("spark.default.parallelism", parse_count, None, "Partitions where nobody says."),
    Setting("spark.driver.maxResultSize", parse_size, "1g", "Largest answer of one job; 0: any."),
    Setting("spark.task.maxFailures", parse_count, None, "Attempts at a task that fails."),
    Setting("minispark.task.maxLosses", parse_count, None, "Attempts at a task that was lost."),
    Setting("spark.local.dir", str, None, "Folder for spilled and temporary files."),
    Setting("spark.executor.memory", parse_size, None, "Budget of rows that an executor may hold."),
    Setting("spark.executor.allowSparkContext", parse_flag, "false", "Whether tasks may make one."),
    Setting("spark.python.profile", parse_flag, "false", "Profile the functions of tasks."),
    Setting("spark.python.profile.dump", str, None, "Folder for profiles when the program ends."),
    Setting("spark.submit.pyFiles", str, "", "Files to add with addPyFile, between commas."),
    Setting("spark.files", str, "", "Files to add with addFile, between commas."),
    Setting("spark.archives", str, "", "Archives to add with addArchive, between commas."),
    Setting("spark.files.openCostInBytes", parse_size, "4m", "binaryFiles: what opening costs."),
    Setting("spark.files.maxPartitionBytes", parse_size, "128m", "binaryFiles: largest partition."),
    Setting("minispark.executor.imports", str, "", "Modules that idle worker processes import."),
    Setting("spark.ui.showConsoleProgress", parse_flag, "false", "A progress line on stderr."),
    Setting("spark.log.level", str, None, "As SparkContext.setLogLevel."),
    Setting(
        "spark.hadoop.mapreduce.input.fileinputformat.input.dir.recursive",
        parse_flag,
        "false",
        "Whether textFile and its kin enter folders within folders.",
    ),
)
SQL_SETTINGS = (  # these may change while a program runs
    Setting(
        "minispark.sql.singleNode",
        parse_one_of("always", "never", "auto"),
        "auto",
        "always, never or auto: queries as one task.",
    ),
    Setting("spark.sql.shuffle.partitions", parse_count, None, "Partitions of a query's stages."),
    Setting(
        "spark.sql.autoBroadcastJoinThreshold",
        parse_threshold,
        "10m",
        "Bytes sent to all; -1: never.",
    ),
    Setting("spark.sql.files.maxPartitionBytes", parse_size, "128m", "Bytes that a task scans."),
    Setting("spark.sql.files.openCostInBytes", parse_size, "4m", "What opening a file counts as."),
    Setting("spark.sql.adaptive.enabled", parse_flag, "true", "Stages follow measured sizes."),
    Setting(
        "spark.sql.adaptive.advisoryPartitionSizeInBytes", parse_size, "64m", "Bytes to fill up to."
    ),
    Setting(
        "spark.sql.adaptive.coalescePartitions.minPartitionSize", parse_size, "1m", "At least."
    ),
    Setting(
        "spark.sql.adaptive.coalescePartitions.enabled", parse_flag, "true", "Whether to fill up."
    ),
    Setting(
        "spark.sql.adaptive.autoBroadcastJoinThreshold",
        parse_threshold,
        None,
        "Measured bytes sent to all; as spark.sql.autoBroadcastJoinThreshold if not set; without "
        "either up to 64m beside a much larger side.",
    ),
    Setting(
        "spark.sql.adaptive.skewJoin.enabled", parse_flag, "true", "Whether large ones are split."
    ),
    Setting(
        "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes",
        parse_size,
        "256m",
        "Bytes over which a partition of a join is split.",
    ),
    Setting(
        "spark.sql.adaptive.skewJoin.skewedPartitionFactor",
        float,
        "5.0",
        "How many times the median it must have for that.",
    ),
    Setting(
        "spark.sql.sources.partitionOverwriteMode",
        parse_one_of("static", "dynamic"),
        "STATIC",
        "Whether overwrite replaces all folders, or those that come.",
    ),
    Setting(
        "spark.sql.parquet.outputTimestampType",
        parse_one_of("int96", "timestamp_micros", "timestamp_millis"),
        None,
        "How Parquet files hold times.",
    ),
    Setting(
        "spark.sql.files.maxRecordsPerFile", parse_whole, "0", "Rows of a written file; 0: any."
    ),
    Setting("spark.sql.sources.default", str, "parquet", "The format where nobody names one."),
    Setting(
        "spark.sql.sources.partitionColumnTypeInference.enabled",
        parse_flag,
        "true",
        "Whether the names of folders say types.",
    ),
    Setting("spark.sql.columnNameOfCorruptRecord", str, "_corrupt_record", "For malformed rows."),
    Setting("spark.sql.jsonGenerator.ignoreNullFields", parse_flag, "true", "NULL is not written."),
    Setting("spark.sql.parquet.compression.codec", str, "snappy", "The codec of Parquet files."),
    Setting("spark.sql.orc.compression.codec", str, "zstd", "The codec of ORC files."),
    Setting(
        "spark.sql.parquet.inferTimestampNTZ.enabled", parse_flag, "true", "Times without zone."
    ),
    Setting(
        "spark.sql.cteRecursionLevelLimit", parse_whole, "100", "Steps of WITH RECURSIVE; -1: any."
    ),
    Setting("spark.sql.cteRecursionRowLimit", parse_whole, "1000000", "Rows of it; -1: any."),
    Setting("spark.sql.transposeMaxValues", parse_count, "500", "Columns transpose may make."),
    Setting("spark.sql.repl.eagerEval.enabled", parse_flag, "false", "Notebooks show rows."),
    Setting("spark.sql.repl.eagerEval.maxNumRows", parse_whole, "20", "How many."),
    Setting("spark.sql.repl.eagerEval.truncate", parse_whole, "20", "To how many letters each."),
    Setting("spark.sql.parquet.mergeSchema", parse_flag, "false", "Columns of all files."),
    Setting("spark.sql.pivotMaxValues", parse_count, "10000", "Columns that pivot may make."),
    Setting("spark.sql.warehouse.dir", str, "spark-warehouse", "The folder of tables that stay."),
    Setting("spark.sql.ansi.enabled", parse_flag, "true", "Errors of values raise, or are NULL."),
    Setting("spark.sql.session.timeZone", str, "UTC", "The zone that timestamps are shown in."),
    Setting("spark.sql.caseSensitive", parse_flag, "false", "Whether names differ by case."),
)
PREFIXES = ("spark.executorEnv.", "spark.driver.resource.")
_BY_KEY = {setting.key: setting for setting in (*SETTINGS, *SQL_SETTINGS)}
_RUNTIME = frozenset(setting.key for setting in SQL_SETTINGS)
_told: set[str] = set()  # keys that were warned of, once in a process


def value_of(conf: Mapping[str, str], key: str) -> Any:
    """The value of a known setting, read from its text; its default where it is not set.

    Raises
    ------
    ValueError
        The text cannot be read; the message names the key.

    Examples
    --------
    >>> value_of({"spark.driver.maxResultSize": "2m"}, "spark.driver.maxResultSize")
    2097152
    """
    setting = _BY_KEY[key]
    text = conf.get(key, setting.default)
    if text is None:
        return None
    try:
        return setting.parse(text)
    except ValueError as error:
        raise ValueError(f"setting {key}: {error}") from None


def usual(key: str) -> str | None:
    """What holds for a known setting that is not set, as text; sizes in bytes.

    >>> usual("spark.sql.files.maxPartitionBytes"), usual("spark.sql.adaptive.enabled")
    ('134217728b', 'true')
    """
    setting = _BY_KEY.get(key)
    if setting is None or setting.default is None:
        return None
    sized = setting.parse in (parse_size, parse_threshold)
    return f"{setting.parse(setting.default)}b" if sized else setting.default


def is_known(key: str) -> bool:
    """Whether a key has a meaning here.

    >>> is_known("spark.master"), is_known("spark.ui.port")
    (True, False)
    """
    return key in _BY_KEY or key.startswith(PREFIXES)


def is_runtime(key: str) -> bool:
    """Whether a known key may change while a program runs.

    >>> is_runtime("spark.sql.shuffle.partitions"), is_runtime("spark.master")
    (True, False)
    """
    return key in _RUNTIME


def check(conf: Mapping[str, str], stacklevel: int = 2) -> None:
    """Read every known setting once, and warn of those that nobody will look at.

    `stacklevel` says whose line the warning names, as for `warnings.warn`.

    Raises
    ------
    ValueError
        A value cannot be read; the message names the key.
    """
    ours = sorted(key for key in conf if key.startswith("minispark.") and not is_known(key))
    if ours:
        raise ValueError(
            f"unknown setting {ours[0]!r}; known are {', '.join(_known('minispark.'))}"
        )
    for key in conf:
        if key in _BY_KEY:
            value_of(conf, key)
    tell_idle(conf, stacklevel + 1)


def tell_idle(keys: Iterable[str], stacklevel: int = 2) -> None:
    """Warn of keys of Spark's that mean nothing here, once in a process."""
    idle = [key for key in keys if key.startswith("spark.") and not is_known(key)]
    fresh = sorted(key for key in idle if key not in _told)
    if fresh:
        _told.update(fresh)
        warnings.warn(
            f"settings that have no effect in minispark: {', '.join(fresh)}",
            stacklevel=stacklevel,
        )


def _known(prefix: str) -> list[str]:
    return [key for key in _BY_KEY if key.startswith(prefix)]
