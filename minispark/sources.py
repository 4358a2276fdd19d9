"""Where datasets come from: collections, ranges and files."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

from executors import pickling
from executors.formats import files, pickled, records, text, whole
from executors.unpicklable import ClosureError, explain
from minispark.dataset.dataset import Dataset
from minispark.dataset.engine import Context
from minispark.dataset.plans import side_by_side
from minispark.settings import value_of
from planner.plan import Node, Source
from planner.site import call_site
from planner.sources import Part, RangePart, RowsPart

if TYPE_CHECKING:
    from minispark.conf import SparkConf
    from minispark.session import Session

_PICKLED = 4096
_RECURSIVE = "spark.hadoop.mapreduce.input.fileinputformat.input.dir.recursive"


class Sources:
    """The part of SparkContext that makes datasets."""

    if TYPE_CHECKING:
        _conf: SparkConf
        _batchSize: int

        @property
        def _session(self) -> Session: ...

        @property
        def defaultParallelism(self) -> int: ...

        @property
        def defaultMinPartitions(self) -> int: ...

    def _dataset(self, node: Node) -> Dataset:
        assert self._session is not None  # a stopped context says so here, not in the first action
        return Dataset(node, cast(Context, self))

    def _source(self, parts: Sequence[Part], label: str) -> Dataset:
        return self._dataset(Source(tuple(parts), label, site=call_site()))

    def _value(self, key: str) -> Any:
        return value_of(dict(self._conf.getAll()), key)

    # ---- collections -----------------------------------------------------------------------------

    def parallelize(self, c: Iterable[Any], numSlices: int | None = None) -> Dataset:
        """A dataset of the elements of a collection.

        Parameters
        ----------
        c : iterable
            A list, a generator, a NumPy array (its rows), … A `range` is never written out.
        numSlices : int, optional
            Number of partitions; `defaultParallelism` if not given.

        Raises
        ------
        ValueError
            `numSlices` is below one.
        pickle.PicklingError
            An element cannot be sent to the executors; the message names it.

        Examples
        --------
        >>> sc.parallelize([1, 2, 3], 2).glom().collect()
        [[1], [2, 3]]
        >>> sc.parallelize(range(6), 2).glom().collect()
        [[0, 1, 2], [3, 4, 5]]
        """
        slices = self.defaultParallelism if numSlices is None else int(numSlices)
        if slices < 1:
            raise ValueError(f"the number of partitions must be at least 1: numSlices={slices}")
        if isinstance(c, range):
            return self._source(_range_parts(c, slices), "parallelize")
        elements: Any = c if isinstance(c, list) or _is_array(c) else list(c)
        bounds = _bounds(len(elements), slices, self._batchSize)
        parts = [_rows_part(elements, start, stop) for start, stop in bounds]
        return self._source(parts, "parallelize")

    def range(
        self, start: int, end: int | None = None, step: int = 1, numSlices: int | None = None
    ) -> Dataset:
        """A dataset of the numbers start, start + step, … before `end`, made where it is read.

        Parameters
        ----------
        start, end, step : int
            As for Python's range; with one argument from 0 to it.
        numSlices : int, optional
            Number of partitions; `defaultParallelism` if not given.

        Raises
        ------
        ValueError
            `step` is zero, or `numSlices` below one.

        Examples
        --------
        >>> sc.range(5).collect()
        [0, 1, 2, 3, 4]
        >>> sc.range(5, 0, -2).collect()
        [5, 3, 1]
        >>> sc.range(10**12, numSlices=4).map(lambda x: x + 1).first()
        1
        """
        if end is None:
            start, end = 0, start
        return self.parallelize(range(start, end, step), numSlices)

    def emptyRDD(self) -> Dataset:
        """A dataset without partitions or rows.

        >>> sc.emptyRDD().count()
        0
        """
        return self._source((), "EmptyRDD")

    def union(self, rdds: Iterable[Dataset]) -> Dataset:
        """All rows of several datasets, one dataset's partitions after the other's.

        Datasets with equal partitioners keep it, and with it their number of partitions.

        Raises
        ------
        IndexError
            There are no datasets.

        Examples
        --------
        >>> sc.union([sc.range(2), sc.range(3)]).collect()
        [0, 1, 0, 1, 2]
        """
        nodes = [rdd._node for rdd in rdds]
        if not nodes:
            raise IndexError("union() needs at least one dataset")
        return self._dataset(side_by_side(nodes))

    # ---- files -----------------------------------------------------------------------------------

    def _found(self, path: str, folders: files.Folders = "refuse") -> list[files.Found]:
        return files.find(path, "enter" if self._value(_RECURSIVE) else folders)

    def textFile(
        self, name: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> Dataset:
        """The lines of text files, without their ends.

        Parameters
        ----------
        name : str
            A file, a folder, a pattern (`*`, `?`, `[a-c]`, `{a,b}`), or several with commas
            between; local, or a URI of a file system that pyarrow knows. Names that begin with
            `_` or `.` are hidden. Files that end in .gz, .bz2, .zst or .deflate are decompressed.
        minPartitions : int, optional
            Cut files into at least about this many partitions; `defaultMinPartitions` if not given.
            Compressed files are not cut.
        use_unicode : bool
            Decode lines as UTF-8 (what is not becomes U+FFFD); if False they are bytes.

        Raises
        ------
        FileNotFoundError
            Nothing is there, or nothing fits the pattern.

        Examples
        --------
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "lines.txt")
        >>> with open(path, "w") as file:
        ...     _ = file.write("to be\\nor not\\n")
        >>> sc.textFile(path).collect()
        ['to be', 'or not']
        """
        parts = text.split(self._found(name), self._at_least(minPartitions), use_unicode)
        return self._source(parts, "textFile").setName(str(name))

    def wholeTextFiles(
        self, path: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> Dataset:
        """Text files as pairs of their name and all their text.

        Parameters
        ----------
        path : str
            As for `textFile`; folders within folders are left out.
        minPartitions : int, optional
            Pack files into at least about this many partitions of equal size.
        use_unicode : bool
            If False, names and texts are bytes.

        Examples
        --------
        >>> import os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with open(os.path.join(folder, "a.txt"), "w") as file:
        ...     _ = file.write("to be")
        >>> [(os.path.basename(name), words) for name, words in sc.wholeTextFiles(folder).collect()]
        [('a.txt', 'to be')]
        """
        found = self._found(path, "skip")
        parts = whole.text_parts(found, self._at_least(minPartitions), use_unicode)
        return self._source(parts, "wholeTextFiles").setName(str(path))

    def binaryFiles(self, path: str, minPartitions: int | None = None) -> Dataset:
        """Files as pairs of their name and their bytes.

        Parameters
        ----------
        path : str
            As for `textFile`; folders within folders are left out.
        minPartitions : int, optional
            Small files go together as long as there is work for this many tasks.

        Examples
        --------
        >>> import os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with open(os.path.join(folder, "a.bin"), "wb") as file:
        ...     _ = file.write(bytes([1, 2]))
        >>> sc.binaryFiles(folder).values().collect()
        [b'\\x01\\x02']
        """
        parts = whole.binary_parts(
            self._found(path, "skip"),
            max(self.defaultParallelism, self._at_least(minPartitions)),
            self._value("spark.files.openCostInBytes"),
            self._value("spark.files.maxPartitionBytes"),
        )
        return self._source(parts, "binaryFiles").setName(str(path))

    def binaryRecords(self, path: str, recordLength: int) -> Dataset:
        """The records of flat binary files, as bytes of one length.

        Parameters
        ----------
        path : str
            As for `textFile`.
        recordLength : int
            Bytes in a record.

        Raises
        ------
        ValueError
            `recordLength` is below one, or a file does not consist of whole records.

        Examples
        --------
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "records")
        >>> with open(path, "wb") as file:
        ...     _ = file.write(b"abcdef")
        >>> sc.binaryRecords(path, 3).collect()
        [b'abc', b'def']
        """
        parts = records.split(self._found(path), recordLength)
        return self._source(parts, "binaryRecords").setName(str(path))

    def pickleFile(self, name: str, minPartitions: int | None = None) -> Dataset:
        """The rows that `Dataset.saveAsPickleFile` wrote. Only for files that you trust.

        Parameters
        ----------
        name : str
            The folder; patterns and several of them as for `textFile`.
        minPartitions : int, optional
            A wish: there are as many partitions as files.

        Examples
        --------
        >>> import os, tempfile
        >>> folder = os.path.join(tempfile.mkdtemp(), "rows")
        >>> sc.parallelize([1, None, ("a", 2)], 2).saveAsPickleFile(folder)
        >>> sc.pickleFile(folder).collect()
        [1, None, ('a', 2)]
        """
        self._at_least(minPartitions)
        return self._source(pickled.split(self._found(name)), "pickleFile").setName(str(name))

    def _at_least(self, minPartitions: int | None) -> int:
        """The number of partitions to make at least of files; 0 and None leave it to the context.

        Raises
        ------
        TypeError
            It is not a whole number.
        ValueError
            It is negative.
        """
        if minPartitions is None:
            return self.defaultMinPartitions
        if not hasattr(minPartitions, "__index__"):
            raise TypeError(f"minPartitions must be an int, not {type(minPartitions).__name__}")
        if minPartitions < 0:
            raise ValueError(f"minPartitions must not be negative: {minPartitions}")
        return operator.index(minPartitions) or self.defaultMinPartitions

    def _checkpointFile(self, name: str, input_deserializer: Any = None) -> Dataset:
        """The dataset that a checkpoint wrote to folder `name`."""
        return self._source(pickled.split(self._found(name)), "checkpoint")

    # ---- what needs a JVM ------------------------------------------------------------------------

    def sequenceFile(
        self,
        path: str,
        keyClass: str | None = None,
        valueClass: str | None = None,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        minSplits: int | None = None,
        batchSize: int = 0,
    ) -> NoReturn:
        """Not there: it needs Hadoop's classes.

        >>> sc.sequenceFile("somewhere")
        Traceback (most recent call last):
        NotImplementedError: SparkContext.sequenceFile needs Hadoop's classes; use pickleFile
        """
        raise _needs_hadoop("sequenceFile", "pickleFile")

    def newAPIHadoopFile(
        self,
        path: str,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: dict[str, str] | None = None,
        batchSize: int = 0,
    ) -> NoReturn:
        """Not there: it needs Hadoop's classes.

        >>> sc.newAPIHadoopFile("somewhere", "InputFormat", "Key", "Value")
        Traceback (most recent call last):
        NotImplementedError: SparkContext.newAPIHadoopFile needs Hadoop's classes; use textFile
        """
        raise _needs_hadoop("newAPIHadoopFile", "textFile")

    def newAPIHadoopRDD(
        self,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: dict[str, str] | None = None,
        batchSize: int = 0,
    ) -> NoReturn:
        """Not there: it needs Hadoop's classes.

        >>> sc.newAPIHadoopRDD("InputFormat", "Key", "Value")
        Traceback (most recent call last):
        NotImplementedError: SparkContext.newAPIHadoopRDD needs Hadoop's classes; use textFile
        """
        raise _needs_hadoop("newAPIHadoopRDD", "textFile")

    def hadoopFile(
        self,
        path: str,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: dict[str, str] | None = None,
        batchSize: int = 0,
    ) -> NoReturn:
        """Not there: it needs Hadoop's classes.

        >>> sc.hadoopFile("somewhere", "InputFormat", "Key", "Value")
        Traceback (most recent call last):
        NotImplementedError: SparkContext.hadoopFile needs Hadoop's classes; use textFile
        """
        raise _needs_hadoop("hadoopFile", "textFile")

    def hadoopRDD(
        self,
        inputFormatClass: str,
        keyClass: str,
        valueClass: str,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: dict[str, str] | None = None,
        batchSize: int = 0,
    ) -> NoReturn:
        """Not there: it needs Hadoop's classes.

        >>> sc.hadoopRDD("InputFormat", "Key", "Value")
        Traceback (most recent call last):
        NotImplementedError: SparkContext.hadoopRDD needs Hadoop's classes; use textFile
        """
        raise _needs_hadoop("hadoopRDD", "textFile")


def _needs_hadoop(method: str, instead: str) -> NotImplementedError:
    return NotImplementedError(f"SparkContext.{method} needs Hadoop's classes; use {instead}")


def _range_parts(numbers: range, slices: int) -> list[RangePart]:
    """The range in `slices` pieces, their lengths as even as can be."""
    cuts = [i * len(numbers) // slices for i in range(slices + 1)]
    pieces = [numbers[cuts[i] : cuts[i + 1]] for i in range(slices)]
    return [RangePart(piece.start, piece.stop, piece.step) for piece in pieces]


def _bounds(length: int, slices: int, batch: int) -> list[tuple[int, int]]:
    """Where PySpark cuts `length` elements: between batches, `batch` elements long (0: up to 1024).

    The number of batches is shared out evenly, so a short last batch makes the last slice shorter.
    """
    size = max(1, min(length // slices, batch or 1024))
    batches = -(-length // size)
    cuts = [min(length, i * batches // slices * size) for i in range(slices + 1)]
    return [(cuts[i], cuts[i + 1]) for i in range(slices)]


def _is_array(elements: Any) -> bool:
    """Whether these are a NumPy array's rows, which travel best as the array they are."""
    kind = type(elements)
    return kind.__module__ == "numpy" and kind.__name__ == "ndarray" and elements.dtype != object


def _rows_part(elements: Any, start: int, stop: int) -> RowsPart:
    """Pickled a few thousand at a time: one large list takes several times as long."""
    pickles = []
    for at in range(start, stop, _PICKLED):
        some = elements[at : min(at + _PICKLED, stop)]
        try:
            pickles.append(pickling.by_value(some))
        except Exception as error:  # whatever a user's __reduce__ raises
            raise _unpicklable(some, at, error) from error
    return RowsPart(b"".join(pickles), stop - start)


def _unpicklable(some: Any, at: int, error: Exception) -> ClosureError:
    """What to raise where one of `some` elements, of which the first is number `at`, fails."""
    for number, element in enumerate(some, at):
        try:
            pickling.by_value(element)
        except Exception as reason:  # the one to name
            why = explain(element, reason)
            return ClosureError(f"element {number} of the collection: {why} [{call_site()}]")
    return ClosureError(f"{error} [{call_site()}]")
