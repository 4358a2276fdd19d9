"""Serializers that programs name: objects as bytes, and streams of them. Rows travel pickled here,
whichever of these is given to a context.

A stream is a sequence of frames: four bytes that tell a length, the most significant first, and so
many bytes. PySpark reads and writes the same.
"""

from __future__ import annotations

import marshal
import pickle
import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from executors import pickling

_LENGTH = struct.Struct("!i")
_END = -1  # stands for a length where a stream ends before its file does
_NONE = -5  # stands for the length of None
_MOST = (1 << 31) - 1  # the largest length that can be told


class Serializer:
    """Turns objects into bytes and back, and iterators of objects into streams and back.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> CPickleSerializer().dump_stream([1, "a"], stream)
    >>> list(CPickleSerializer().load_stream(io.BytesIO(stream.getvalue())))
    [1, 'a']
    """

    def dumps(self, obj: Any) -> bytes:
        """Bytes that stand for an object.

        >>> MarshalSerializer().loads(MarshalSerializer().dumps([1, None]))
        [1, None]
        """
        raise NotImplementedError(f"{type(self).__name__}.dumps is not defined")

    def loads(self, obj: bytes) -> Any:
        """The object that bytes stand for.

        >>> MarshalSerializer().loads(MarshalSerializer().dumps("a"))
        'a'
        """
        raise NotImplementedError(f"{type(self).__name__}.loads is not defined")

    def dump_stream(self, iterator: Iterable[Any], stream: BinaryIO) -> None:
        """Write objects to a binary file."""
        raise NotImplementedError(f"{type(self).__name__}.dump_stream is not defined")

    def load_stream(self, stream: BinaryIO) -> Iterator[Any]:
        """Read what `dump_stream` wrote, as far as it goes."""
        raise NotImplementedError(f"{type(self).__name__}.load_stream is not defined")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class FramedSerializer(Serializer):
    """One frame an object: define `dumps` and `loads`.

    Examples
    --------
    >>> import io
    >>> class Shouting(FramedSerializer):
    ...     def dumps(self, obj):
    ...         return obj.upper().encode()
    ...     def loads(self, obj):
    ...         return obj.decode()
    >>> stream = io.BytesIO()
    >>> Shouting().dump_stream(["a", "b"], stream)
    >>> stream.getvalue()
    b'\\x00\\x00\\x00\\x01A\\x00\\x00\\x00\\x01B'
    """

    def dump_stream(self, iterator: Iterable[Any], stream: BinaryIO) -> None:
        """Write a frame for each object.

        Raises
        ------
        ValueError
            The bytes of an object are None, or 2 GiB or more.
        """
        for obj in iterator:
            data = self.dumps(obj)
            if data is None:
                raise ValueError("serialized value should not be None")
            if len(data) > _MOST:
                raise ValueError("can not serialize object larger than 2G")
            stream.write(_LENGTH.pack(len(data)))
            stream.write(data)

    def load_stream(self, stream: BinaryIO) -> Iterator[Any]:
        """The objects of all frames, up to the end or the first frame that is cut off."""
        while (length := _length(stream)) is not None and length != _END:
            if length == _NONE:
                yield None
                continue
            data = stream.read(length)
            if len(data) < length:
                return
            yield self.loads(data)


def _length(stream: BinaryIO) -> int | None:
    """The length that comes next, None at the end."""
    data = stream.read(_LENGTH.size)
    return int(_LENGTH.unpack(data)[0]) if len(data) == _LENGTH.size else None


class PickleSerializer(FramedSerializer):
    """Python's pickle: functions and classes by name.

    Examples
    --------
    >>> PickleSerializer().loads(PickleSerializer().dumps((1, 2)))
    (1, 2)
    """

    def dumps(self, obj: Any) -> bytes:
        """Pickle an object.

        >>> isinstance(PickleSerializer().dumps(1), bytes)
        True
        """
        return pickle.dumps(obj, pickling.PROTOCOL)

    def loads(self, obj: bytes, encoding: str = "bytes") -> Any:
        """Unpickle an object; only from bytes that you trust.

        `encoding` is that of strings which Python 2 has pickled.

        >>> PickleSerializer().loads(PickleSerializer().dumps(1))
        1
        """
        return pickle.loads(obj, encoding=encoding)


class CloudPickleSerializer(FramedSerializer):
    """Pickle that takes functions and classes of the script by value.

    Examples
    --------
    >>> CloudPickleSerializer().loads(CloudPickleSerializer().dumps(lambda x: x + 1))(2)
    3
    """

    def dumps(self, obj: Any) -> bytes:
        """Pickle an object, functions by value.

        Raises
        ------
        pickle.PicklingError
            It cannot be pickled.

        Examples
        --------
        >>> import threading
        >>> CloudPickleSerializer().dumps(threading.Lock())
        Traceback (most recent call last):
        _pickle.PicklingError: Could not serialize object: TypeError: cannot pickle ...
        """
        try:
            return pickling.by_value(obj)
        except pickle.PickleError:
            raise
        except Exception as error:  # whatever a user's __reduce__ raises
            text = f"Could not serialize object: {type(error).__name__}: {error}"
            raise pickle.PicklingError(text) from error

    def loads(self, obj: bytes, encoding: str = "bytes") -> Any:
        """Unpickle an object, as `PickleSerializer.loads`.

        >>> CloudPickleSerializer().loads(CloudPickleSerializer().dumps(1))
        1
        """
        return pickle.loads(obj, encoding=encoding)


CPickleSerializer = CloudPickleSerializer


class MarshalSerializer(FramedSerializer):
    """Python's marshal: numbers, strings, tuples, lists, dicts.

    Examples
    --------
    >>> MarshalSerializer().loads(MarshalSerializer().dumps({"a": 1}))
    {'a': 1}
    """

    def dumps(self, obj: Any) -> bytes:
        """Marshal an object.

        >>> isinstance(MarshalSerializer().dumps(1), bytes)
        True
        """
        return marshal.dumps(obj)

    def loads(self, obj: bytes) -> Any:
        """The marshalled object; only from bytes that you trust.

        >>> MarshalSerializer().loads(MarshalSerializer().dumps(1))
        1
        """
        return marshal.loads(obj)


class AutoSerializer(FramedSerializer):
    """Marshal while it can, pickle from the first object on that it cannot. A byte tells which.

    Examples
    --------
    >>> [AutoSerializer().loads(AutoSerializer().dumps(obj)) for obj in ({"a": 1}, range(2))]
    [{'a': 1}, range(0, 2)]
    """

    def __init__(self) -> None:
        self._type: bytes | None = None

    def dumps(self, obj: Any) -> bytes:
        """Marshal or pickle an object.

        >>> AutoSerializer().dumps(1)[:1], AutoSerializer().dumps(range(2))[:1]
        (b'M', b'P')
        """
        if self._type is None:
            try:
                return b"M" + marshal.dumps(obj)
            except ValueError:
                self._type = b"P"
        return b"P" + pickle.dumps(obj, pickling.PROTOCOL)

    def loads(self, obj: bytes) -> Any:
        """The object that `dumps` was given; only from bytes that you trust.

        Raises
        ------
        ValueError
            The first byte is none that `dumps` writes.

        Examples
        --------
        >>> AutoSerializer().loads(AutoSerializer().dumps("a"))
        'a'
        """
        kind = obj[:1]
        if kind == b"M":
            return marshal.loads(obj[1:])
        if kind == b"P":
            return pickle.loads(obj[1:])
        raise ValueError(f"invalid serialization type: {kind!r}")


class CompressedSerializer(FramedSerializer):
    """What another serializer gives, compressed with zlib at its fastest.

    Parameters
    ----------
    serializer : FramedSerializer

    Examples
    --------
    >>> packed = CompressedSerializer(MarshalSerializer())
    >>> packed, packed.loads(packed.dumps([1] * 3))
    (CompressedSerializer(MarshalSerializer()), [1, 1, 1])
    """

    def __init__(self, serializer: FramedSerializer) -> None:
        if not isinstance(serializer, FramedSerializer):
            kind = type(serializer).__name__
            raise TypeError(f"serializer must be a FramedSerializer, not {kind}")
        self.serializer = serializer

    def dumps(self, obj: Any) -> bytes:
        """The compressed bytes of an object.

        >>> len(CompressedSerializer(MarshalSerializer()).dumps("a" * 1000)) < 100
        True
        """
        return zlib.compress(self.serializer.dumps(obj), 1)

    def loads(self, obj: bytes) -> Any:
        """The object that `dumps` was given.

        >>> packed = CompressedSerializer(CPickleSerializer())
        >>> packed.loads(packed.dumps("a"))
        'a'
        """
        return self.serializer.loads(zlib.decompress(obj))

    def __repr__(self) -> str:
        return f"CompressedSerializer({self.serializer})"


class NoOpSerializer(FramedSerializer):
    """Objects that are bytes already.

    Examples
    --------
    >>> NoOpSerializer().dumps(b"a")
    b'a'
    """

    def dumps(self, obj: bytes) -> bytes:
        """The bytes themselves."""
        return obj

    def loads(self, obj: bytes) -> bytes:
        """The bytes themselves."""
        return obj


class UTF8Deserializer(Serializer):
    """Reads frames of text.

    Parameters
    ----------
    use_unicode : bool
        Decode them; if False they are bytes.

    Examples
    --------
    >>> import io
    >>> list(UTF8Deserializer().load_stream(io.BytesIO(b"\\x00\\x00\\x00\\x01a")))
    ['a']
    """

    def __init__(self, use_unicode: bool = True) -> None:
        self.use_unicode = use_unicode

    def load_stream(self, stream: BinaryIO) -> Iterator[Any]:
        """The texts of all frames."""
        frames = NoOpSerializer().load_stream(stream)
        for data in frames:
            yield data.decode("utf-8") if self.use_unicode and data is not None else data

    def __repr__(self) -> str:
        return f"UTF8Deserializer({self.use_unicode})"


class BatchedSerializer(Serializer):
    """Several objects in one frame of another serializer.

    Parameters
    ----------
    serializer : Serializer
        Writes lists of objects.
    batchSize : int
        Objects in a frame; all of them where it is below one.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> BatchedSerializer(MarshalSerializer(), 2).dump_stream([1, 2, 3], stream)
    >>> list(MarshalSerializer().load_stream(io.BytesIO(stream.getvalue())))
    [[1, 2], [3]]
    >>> list(BatchedSerializer(MarshalSerializer()).load_stream(io.BytesIO(stream.getvalue())))
    [1, 2, 3]
    """

    UNLIMITED_BATCH_SIZE = -1
    UNKNOWN_BATCH_SIZE = 0

    def __init__(self, serializer: Serializer, batchSize: int = UNLIMITED_BATCH_SIZE) -> None:
        self.serializer = serializer
        self.batchSize = batchSize

    def dump_stream(self, iterator: Iterable[Any], stream: BinaryIO) -> None:
        """Write a frame for every `batchSize` objects."""
        self.serializer.dump_stream(self._batches(iterator), stream)

    def _batches(self, objects: Iterable[Any]) -> Iterator[list[Any]]:
        if self.batchSize < 1:
            yield list(objects)
            return
        rows = iter(objects)
        while batch := list(islice(rows, self.batchSize)):
            yield batch

    def load_stream(self, stream: BinaryIO) -> Iterator[Any]:
        """The objects of all frames."""
        return chain.from_iterable(self.serializer.load_stream(stream))

    def __repr__(self) -> str:
        return f"BatchedSerializer({self.serializer}, {self.batchSize})"


class AutoBatchedSerializer(BatchedSerializer):
    """As BatchedSerializer; frames grow or shrink until they are about `bestSize` bytes long.

    Parameters
    ----------
    serializer : FramedSerializer
    bestSize : int
        Bytes.

    Examples
    --------
    >>> import io
    >>> stream = io.BytesIO()
    >>> AutoBatchedSerializer(CPickleSerializer()).dump_stream(range(5), stream)
    >>> list(AutoBatchedSerializer(CPickleSerializer()).load_stream(io.BytesIO(stream.getvalue())))
    [0, 1, 2, 3, 4]
    """

    def __init__(self, serializer: FramedSerializer, bestSize: int = 1 << 16) -> None:
        super().__init__(serializer, self.UNKNOWN_BATCH_SIZE)
        self.bestSize = bestSize

    def dump_stream(self, iterator: Iterable[Any], stream: BinaryIO) -> None:
        """Write frames of one, two, four … objects, until they are large enough."""
        rows, number = iter(iterator), 1
        while batch := list(islice(rows, number)):
            data = self.serializer.dumps(batch)
            NoOpSerializer().dump_stream([data], stream)
            if len(data) < self.bestSize:
                number *= 2
            elif len(data) > self.bestSize * 10 and number > 1:
                number //= 2

    def __repr__(self) -> str:
        return f"AutoBatchedSerializer({self.serializer})"
