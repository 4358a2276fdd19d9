"""Broadcasts: one read-only value that goes to every worker once."""

from __future__ import annotations

import itertools
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar
from weakref import WeakValueDictionary, finalize

from executors import current, pickling
from executors.unpicklable import explain
from minispark.errors import PySparkRuntimeError
from planner.blocks import Block
from planner.site import Site, call_site

if TYPE_CHECKING:
    from minispark.context import SparkContext

T = TypeVar("T")

_ids = itertools.count()
_driven: WeakValueDictionary[int, Broadcast[Any]] = WeakValueDictionary()  # made in the driver
_known: WeakValueDictionary[int, Broadcast[Any]] = WeakValueDictionary()  # named in a worker
# In a worker: those opened last, kept for the next job that uses them.
_recent: OrderedDict[int, Broadcast[Any]] = OrderedDict()
_RECENT_BYTES = 64 << 20


class Broadcast(Generic[T]):
    """A value made with `SparkContext.broadcast`, read with `value` on the driver and in tasks.

    It travels as pickled bytes, once to every worker that asks for it, and is unpickled there on
    first use; all tasks of a worker share the object, so they must not change it.

    Parameters
    ----------
    sc : SparkContext, optional
        The context to which it belongs.
    value
        What to broadcast.
    pickle_registry
        Not used.
    path : str, optional
        Instead of a context and a value: a file written by `dump`.
    sock_file : binary file, optional
        The same, as an open file.

    Examples
    --------
    >>> names = sc.broadcast({1: "one", 2: "two"})
    >>> sc.parallelize([2, 1]).map(lambda number: names.value[number]).collect()
    ['two', 'one']
    """

    def __init__(
        self,
        sc: SparkContext | None = None,
        value: T | None = None,
        pickle_registry: Any = None,
        path: str | None = None,
        sock_file: BinaryIO | None = None,
    ) -> None:
        self.id = next(_ids)
        self._sc = sc
        self._destroyed: Site | None = None
        self._block: Block | None = None
        if sc is not None:
            self._block = sc._session.put(pickled(value))
            self._release = finalize(self, sc._session.free_block, self._block)
            self._release.atexit = False
            _driven[self.id] = self
        elif sock_file is not None:
            self._value = self.load(sock_file)
        elif path is not None:
            self._value = self.load_from_path(path)
        else:
            raise TypeError("a Broadcast is made by SparkContext.broadcast(value)")

    @property
    def value(self) -> T:
        """The value; unpickled when this process asks for it the first time.

        Raises
        ------
        PySparkRuntimeError
            The broadcast was destroyed.

        Examples
        --------
        >>> sc.broadcast([1, 2, 3]).value
        [1, 2, 3]
        """
        if not hasattr(self, "_value"):
            self._value = self._open()
        return self._value

    def _open(self) -> T:
        """A copy of what was broadcast, in the driver too: later changes to it do not show."""
        self._refuse_destroyed()
        assert self._block is not None
        task = current.get()
        opened: T
        if task is not None:
            opened = pickling.loads(task.open_block(self._block))
            _remember(self, self._block.bytes)
        elif self._sc is not None:
            opened = pickling.loads(self._sc._session.open_block(self._block))
        elif self.id in _driven:  # a copy that the driver unpickled
            opened = _driven[self.id].value
        else:
            raise PySparkRuntimeError(
                errorClass="INVALID_BROADCAST_OPERATION",
                messageParameters={"operation": "opened in a task or"},
            )
        return opened

    def dump(self, value: T, f: BinaryIO) -> None:
        """Pickle `value` to an open file, and close it.

        Raises
        ------
        pickle.PicklingError
            The value cannot be pickled.

        Examples
        --------
        >>> import io
        >>> class Kept(io.BytesIO):
        ...     def close(self):
        ...         self.data = self.getvalue()
        >>> file = Kept()
        >>> sc.broadcast(1).dump([1, 2], file)
        >>> sc.broadcast(1).load(io.BytesIO(file.data))
        [1, 2]
        """
        f.write(pickled(value))
        f.close()

    def load(self, file: BinaryIO) -> T:
        """The value that `dump` wrote to a file; only for files that you trust.

        >>> import io, pickle
        >>> sc.broadcast(1).load(io.BytesIO(pickle.dumps("a")))
        'a'
        """
        value: T = pickle.load(file)
        return value

    def load_from_path(self, path: str) -> T:
        """As `load`, by the file's name.

        >>> import os, pickle, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "value")
        >>> with open(path, "wb") as file:
        ...     pickle.dump("a", file)
        >>> sc.broadcast(1).load_from_path(path)
        'a'
        """
        with open(path, "rb") as file:
            return self.load(file)

    def unpersist(self, blocking: bool = False) -> None:
        """Let workers forget their copies; they ask again when they need it.

        A worker's copy is one object that its tasks share, so it is dropped when the broadcast
        itself is; this has nothing to do before.

        Raises
        ------
        PySparkRuntimeError
            This is a task, or the broadcast was destroyed.

        Examples
        --------
        >>> numbers = sc.broadcast([1, 2])
        >>> numbers.unpersist()
        >>> sc.range(1).map(lambda _: sum(numbers.value)).first()
        3
        """
        self._refuse_task("unpersisted")
        self._refuse_destroyed()

    def destroy(self, blocking: bool = False) -> None:
        """Free the value everywhere. It cannot be used in a task after that.

        Raises
        ------
        PySparkRuntimeError
            This is a task, or the broadcast was destroyed before.

        Examples
        --------
        >>> numbers = sc.broadcast([1, 2])
        >>> numbers.destroy()
        """
        self._refuse_task("destroyed")
        self._refuse_destroyed()
        self._destroyed = call_site("destroy")
        self._release()

    def _refuse_task(self, operation: str) -> None:
        if self._sc is None or current.get() is not None:
            raise PySparkRuntimeError(
                errorClass="INVALID_BROADCAST_OPERATION",
                messageParameters={"operation": operation},
            )

    def _refuse_destroyed(self) -> None:
        if self._destroyed is not None:
            raise PySparkRuntimeError(
                errorClass="BROADCAST_DESTROYED",
                messageParameters={"id": str(self.id), "where": f"by {self._destroyed}"},
            )

    def __reduce__(self) -> tuple[Callable[..., Broadcast[T]], tuple[Any, ...]]:
        self._refuse_destroyed()
        if self._sc is not None:
            assert self._sc._session is not None  # or it says that its context was stopped
        if self._block is None:
            raise PySparkRuntimeError(
                errorClass="INVALID_BROADCAST_OPERATION",
                messageParameters={"operation": "serialized"},
            )
        return (_named, (self.id, self._block))


def _named(bid: int, block: Block) -> Broadcast[Any]:
    """Unpickle: the name of it that this process has already, or a new one."""
    known = _known.get(bid)
    if known is not None:
        return known
    made: Broadcast[Any] = object.__new__(Broadcast)
    made.id = bid
    made._sc = made._destroyed = None
    made._block = block
    _known[bid] = made
    return made


def _remember(opened: Broadcast[Any], size: int) -> None:
    """Keep a value after the stages that use it, as long as others do not need the room."""
    _recent[opened.id] = opened
    room = _RECENT_BYTES - size
    for other in reversed([each for each in _recent if each != opened.id]):
        block = _recent[other]._block
        room -= block.bytes if block is not None else 0
        if room < 0:
            del _recent[other]


def pickled(value: Any) -> bytes:
    """The bytes of a value, functions and classes of the user's script by value.

    Raises
    ------
    pickle.PicklingError
        It cannot be pickled; the message says what of it.
    """
    try:
        return pickling.by_value(value)
    except PySparkRuntimeError as error:  # a SparkContext or a dataset in it says so itself
        raise pickle.PicklingError(f"cannot broadcast: {error} [{call_site()}]") from error
    except Exception as error:
        why = f"{explain(value, error)} [{call_site()}]"
        raise pickle.PicklingError(f"cannot broadcast: {why}") from error
