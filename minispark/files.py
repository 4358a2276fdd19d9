"""Where the files are that were added with SparkContext.addFile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from executors import current

if TYPE_CHECKING:
    from minispark.context import SparkContext


class SparkFiles:
    """Paths of added files, in the driver and in tasks. There are no instances.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "factor.txt")
    >>> with open(path, "w") as file:
    ...     _ = file.write("100")
    >>> sc.addFile(path)
    >>> def times(rows):
    ...     with open(SparkFiles.get("factor.txt")) as file:
    ...         factor = int(file.read())
    ...     return [row * factor for row in rows]
    >>> sc.parallelize([1, 2]).mapPartitions(times).collect()
    [100, 200]
    """

    _sc: ClassVar[SparkContext | None] = None

    def __init__(self) -> None:
        raise NotImplementedError("SparkFiles has no instances: use SparkFiles.get(name)")

    @classmethod
    def get(cls, filename: str) -> str:
        """The absolute path of an added file, whether it was added or not.

        Parameters
        ----------
        filename : str
            The last part of the path that was given to `addFile`.

        Examples
        --------
        >>> os.path.basename(SparkFiles.get("factor.txt"))
        'factor.txt'
        """
        return os.path.abspath(os.path.join(cls.getRootDirectory(), filename))

    @classmethod
    def getRootDirectory(cls) -> str:
        """The folder in which added files are.

        Raises
        ------
        RuntimeError
            There is no SparkContext.

        Examples
        --------
        >>> os.path.isabs(SparkFiles.getRootDirectory())
        True
        """
        task = current.get()
        if task is not None:
            return task.files_folder
        if cls._sc is None:
            raise RuntimeError("there are no added files without a SparkContext")
        return cls._sc._files_folder
