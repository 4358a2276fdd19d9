"""Options of readers and writers of files: checked, and turned into text as Spark has them."""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from executors.formats.csv import Dialect
from executors.formats.errors import FilesError
from executors.formats.scanning import KNOWN, words
from executors.formats.writing import ORC, PARQUET
from minispark import errors
from minispark.sql.errors import translated

ELSEWHERE = {  # formats that Spark has and we have not, and what to use instead
    "xml": "json or csv",
    "jdbc": "a Python database driver in mapInArrow, or createDataFrame",
    "avro": "parquet",
    "binaryfile": "SparkContext.binaryFiles",
    "image": "SparkContext.binaryFiles",
    "libsvm": "csv",
    "hive": "parquet with a path",
    "delta": "parquet",
    "kafka": "files",
    "rate": "SparkSession.range",
    "socket": "files",
    "excel": "pandas and createDataFrame",
}
_WRITTEN = words(
    "path compression header sep delimiter quote escape quoteall escapequotes nullvalue emptyvalue "
    "dateformat timestampformat timestampntzformat timezone encoding charset linesep "
    "ignoreleadingwhitespace ignoretrailingwhitespace ignorenullfields maxrecordsperfile "
    "partitionoverwritemode extension comment locale outputtimestamptype"
)
_SAME = {"allownumericleadingzero": "allownumericleadingzeros", "delimiter": "sep"}
_LINES = ("none", "uncompressed", "bzip2", "deflate", "gzip", "zstd")
_told: set[tuple[str, str]] = set()


def as_text(value: Any) -> str:
    """An option's value as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def folded(options: Mapping[str, str]) -> dict[str, str]:
    """The options with names in lower case, each under one name."""
    low = {name.lower(): value for name, value in options.items()}
    return {_SAME.get(name, name): value for name, value in low.items()}


def format_of(source: str) -> str:
    """The format that a name means.

    Raises
    ------
    AnalysisException
        There is none of that name.
    NotImplementedError
        It is one that Spark has and we have not.
    """
    name = source.lower().rpartition(".")[2] if source.startswith("org.apache") else source.lower()
    if name in KNOWN:
        return name
    if name in ELSEWHERE:
        raise NotImplementedError(f"the format {source} is not there; use {ELSEWHERE[name]}")
    raise errors.AnalysisException(
        f"there is no format {source}; there are {', '.join(sorted(KNOWN))}",
        "DATA_SOURCE_NOT_FOUND",
    )


def check_read(form: str, options: Mapping[str, str]) -> None:
    """Tell of options that a reader does not know, once; refuse those it cannot honour.

    Raises
    ------
    IllegalArgumentException
        A value makes no sense.
    """
    _tell(form, options, KNOWN[form])
    _refuse_locale(options)
    _check_text(form, options)


def check_written(form: str, options: Mapping[str, str]) -> None:
    """As `check_read`, for a writer.

    Raises
    ------
    IllegalArgumentException
        The codec is not there.
    """
    _tell(form, options, _WRITTEN)
    _refuse_locale(options)
    codec = options.get("compression")
    there = {"parquet": tuple(PARQUET), "orc": tuple(ORC)}.get(form, _LINES)
    if codec is not None and codec.lower() not in there:
        raise errors.IllegalArgumentException(
            f"{form} has no codec {codec}; there are {', '.join(sorted(there))}",
            "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION",
        )
    _check_text(form, options)
    most = options.get("maxrecordsperfile", "0")
    if not re.fullmatch(r"\s*[+-]?[0-9]+\s*", most):
        raise errors.NumberFormatException(
            f"the option maxRecordsPerFile is a whole number, not {most!r}"
        )


def _check_text(form: str, options: Mapping[str, str]) -> None:
    """Refuse an encoding that is not there, and what makes no csv."""
    encoding = options.get("encoding", options.get("charset", "utf-8"))
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise errors.IllegalArgumentException(
            f"there is no encoding {encoding!r}; there are utf-8, utf-16, iso-8859-1 and others",
            "INVALID_PARAMETER_VALUE.CHARSET",
        ) from None
    if form == "csv":
        with file_errors(), option_errors():
            Dialect.of(options)


def _refuse_locale(options: Mapping[str, str]) -> None:
    if options.get("locale", "en-US").lower() not in ("en-us", "en"):
        raise NotImplementedError(f"the option locale={options['locale']}; only en-US is there")
    escape = options.get("chartoescapequoteescaping")
    if escape is not None and escape != options.get("escape", "\\"):
        raise NotImplementedError("the csv option charToEscapeQuoteEscaping")


def _tell(form: str, options: Mapping[str, str], known: frozenset[str]) -> None:
    for name in options:
        same = _SAME.get(name, name)
        if same in known or name in known or name == "chartoescapequoteescaping":
            continue
        if (form, name) not in _told:
            _told.add((form, name))
            warnings.warn(f"{form} has no option {name}: it has no effect", stacklevel=5)


_OF_RUN = (
    "FAILED_READ_FILE",
    "MALFORMED",
    "CANNOT_MERGE",
    "CONFLICTING_PARTITION",
    "INVALID_PARTITION_VALUE",
    "EMPTY_PARTITION",
    "OPTION_VALUE",
)


def of_files(error: FilesError) -> errors.PySparkException:
    """The exception that programs know."""
    of_run = error.code.startswith(_OF_RUN)
    kind = errors.SparkRuntimeException if of_run else errors.AnalysisException
    return kind(str(error), error.code)


@contextmanager
def file_errors() -> Iterator[None]:
    """In this block, errors of files and of running are those that PySpark's users know."""
    with translated():
        try:
            yield
        except FilesError as error:
            raise of_files(error) from None


@contextmanager
def option_errors() -> Iterator[None]:
    """In this block, where no function of the user's runs, a ValueError is of an argument."""
    try:
        yield
    except errors.PySparkException:
        raise
    except ValueError as error:
        raise errors.IllegalArgumentException(" ".join(str(error).split())) from None
