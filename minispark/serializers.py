"""Serializers that programs name. Rows always travel pickled here, whichever is named."""

from __future__ import annotations

import marshal
import pickle
from typing import Any

from executors import pickling


class Serializer:
    """Turns objects into bytes and back.

    Examples
    --------
    >>> CPickleSerializer().loads(CPickleSerializer().dumps({"a": 1}))
    {'a': 1}
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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Serializer) and type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class CPickleSerializer(Serializer):
    """Python's pickle.

    Examples
    --------
    >>> CPickleSerializer().loads(CPickleSerializer().dumps((1, 2)))
    (1, 2)
    """

    def dumps(self, obj: Any) -> bytes:
        """Pickle an object.

        >>> isinstance(CPickleSerializer().dumps(1), bytes)
        True
        """
        return pickle.dumps(obj, pickling.PROTOCOL)

    def loads(self, obj: bytes) -> Any:
        """Unpickle an object; only from bytes that you trust.

        >>> CPickleSerializer().loads(CPickleSerializer().dumps(1))
        1
        """
        return pickle.loads(obj)


class CloudPickleSerializer(CPickleSerializer):
    """Pickle that takes functions and classes of the script by value.

    Examples
    --------
    >>> CloudPickleSerializer().loads(CloudPickleSerializer().dumps(lambda x: x + 1))(2)
    3
    """

    def dumps(self, obj: Any) -> bytes:
        """Pickle an object, functions by value.

        >>> isinstance(CloudPickleSerializer().dumps(lambda: 1), bytes)
        True
        """
        return pickling.by_value(obj)


class MarshalSerializer(Serializer):
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


PickleSerializer = CPickleSerializer
