"""Writing a dataset to files. A folder appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from executors.formats import commit, save
from executors.formats.codecs import end_for
from executors.formats.errors import FilesError
from minispark.dataset.core import Core
from minispark.dataset.plans import by_partition
from planner.plan import Node

Writer = Callable[[int, Iterator[Any]], list[str]]


@dataclass(frozen=True, slots=True)
class TextWritten:
    """Writes a partition as lines; one row that says where."""

    job: commit.Job
    codec: str | None

    def __call__(self, index: int, rows: Iterator[Any]) -> list[str]:
        return [save.save_text_partition(self.job, index, rows, self.codec)]


@dataclass(frozen=True, slots=True)
class PickleWritten:
    """Writes a partition as pickled rows; one row that says where."""

    job: commit.Job
    batch: int

    def __call__(self, index: int, rows: Iterator[Any]) -> list[str]:
        return [save.save_pickle_partition(self.job, index, rows, self.batch)]


def written(dataset: Core, node: Node, folder: str, writer: Callable[[commit.Job], Writer]) -> str:
    """Run the job that writes `node` below `folder`; gives the folder as it was opened.

    Raises
    ------
    FileExistsError
        There is something of that name.
    """
    try:
        job = commit.begin(folder, "new")
    except FilesError as error:
        raise FileExistsError(str(error)) from None
    assert job is not None
    try:
        names = dataset._rows(by_partition(node, writer(job)))
    except BaseException:  # an interrupt too: no partial output stays
        commit.abandon(job)
        raise
    commit.publish(job, names)
    return job.folder


class Saving(Core):
    """Text and pickle files; the Hadoop formats need a JVM."""

    def saveAsTextFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Write one text file a partition: a line a row.

        Parameters
        ----------
        path : str
            A new folder, on any file system that pyarrow knows.
        compressionCodecClass : str, optional
            `org.apache.hadoop.io.compress.GzipCodec` and its kin, or "gzip", "bzip2", "zstd",
            "deflate".

        Raises
        ------
        FileExistsError
            There is something at `path`.
        ValueError
            The codec is not known.

        Examples
        --------
        >>> import os, tempfile
        >>> folder = os.path.join(tempfile.mkdtemp(), "lines")
        >>> sc.parallelize(["x", "y"], 2).saveAsTextFile(folder)
        >>> sorted(os.listdir(folder)), sorted(sc.textFile(folder).collect())
        (['_SUCCESS', 'part-00000', 'part-00001'], ['x', 'y'])
        """
        codec = compressionCodecClass or None
        end_for(codec)
        written(self, self._node, path, lambda job: TextWritten(job, codec))

    def saveAsPickleFile(self, path: str, batchSize: int = 10) -> None:
        """Write one file of pickled rows a partition, to be read by `SparkContext.pickleFile`.

        Parameters
        ----------
        path : str
            As for `saveAsTextFile`.
        batchSize : int
            Rows pickled together; 0 leaves it to the writer.

        Examples
        --------
        >>> import os, tempfile
        >>> folder = os.path.join(tempfile.mkdtemp(), "rows")
        >>> sc.parallelize([1, {"a": None}], 2).saveAsPickleFile(folder)
        >>> sc.pickleFile(folder).collect()
        [1, {'a': None}]
        """
        written(self, self._node, path, lambda job: PickleWritten(job, batchSize))

    def saveAsHadoopFile(
        self,
        path: str,
        outputFormatClass: str,
        keyClass: str | None = None,
        valueClass: str | None = None,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: dict[str, str] | None = None,
        compressionCodecClass: str | None = None,
    ) -> None:
        """Not there: it needs a JVM.

        >>> sc.parallelize([(1, 2)]).saveAsHadoopFile("out", "TextOutputFormat")
        Traceback (most recent call last):
            ...
        NotImplementedError: Dataset.saveAsHadoopFile needs a JVM; use saveAsTextFile
        """
        raise _needs_jvm("saveAsHadoopFile")

    def saveAsNewAPIHadoopFile(
        self,
        path: str,
        outputFormatClass: str,
        keyClass: str | None = None,
        valueClass: str | None = None,
        keyConverter: str | None = None,
        valueConverter: str | None = None,
        conf: dict[str, str] | None = None,
    ) -> None:
        """Not there: it needs a JVM.

        >>> sc.parallelize([(1, 2)]).saveAsNewAPIHadoopFile("out", "TextOutputFormat")
        Traceback (most recent call last):
            ...
        NotImplementedError: Dataset.saveAsNewAPIHadoopFile needs a JVM; use saveAsTextFile
        """
        raise _needs_jvm("saveAsNewAPIHadoopFile")

    def saveAsHadoopDataset(
        self,
        conf: dict[str, str],
        keyConverter: str | None = None,
        valueConverter: str | None = None,
    ) -> None:
        """Not there: it needs a JVM.

        >>> sc.parallelize([(1, 2)]).saveAsHadoopDataset({})
        Traceback (most recent call last):
            ...
        NotImplementedError: Dataset.saveAsHadoopDataset needs a JVM; use saveAsTextFile
        """
        raise _needs_jvm("saveAsHadoopDataset")

    def saveAsNewAPIHadoopDataset(
        self,
        conf: dict[str, str],
        keyConverter: str | None = None,
        valueConverter: str | None = None,
    ) -> None:
        """Not there: it needs a JVM.

        >>> sc.parallelize([(1, 2)]).saveAsNewAPIHadoopDataset({})
        Traceback (most recent call last):
            ...
        NotImplementedError: Dataset.saveAsNewAPIHadoopDataset needs a JVM; use saveAsTextFile
        """
        raise _needs_jvm("saveAsNewAPIHadoopDataset")

    def saveAsSequenceFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Not there: it needs a JVM.

        >>> sc.parallelize([(1, 2)]).saveAsSequenceFile("out")
        Traceback (most recent call last):
            ...
        NotImplementedError: Dataset.saveAsSequenceFile needs a JVM; use saveAsTextFile
        """
        raise _needs_jvm("saveAsSequenceFile")


def _needs_jvm(method: str) -> NotImplementedError:
    return NotImplementedError(f"Dataset.{method} needs a JVM; use saveAsTextFile")
