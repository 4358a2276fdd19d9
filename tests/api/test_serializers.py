"""Serializers as programs use them: bytes of one object, streams of many."""

from __future__ import annotations

import io
import pickle
import struct
import threading
import warnings
from typing import Any

import pytest

from minispark import SparkContext
from minispark.serializers import (
    AutoBatchedSerializer,
    AutoSerializer,
    BatchedSerializer,
    CloudPickleSerializer,
    CompressedSerializer,
    CPickleSerializer,
    FramedSerializer,
    MarshalSerializer,
    NoOpSerializer,
    PickleSerializer,
    Serializer,
    UTF8Deserializer,
)

ROWS = [1, "a", None, (1, [2.5]), {"b": b"c"}]
ALL: list[Serializer] = [
    PickleSerializer(),
    CloudPickleSerializer(),
    MarshalSerializer(),
    AutoSerializer(),
    CompressedSerializer(PickleSerializer()),
    BatchedSerializer(PickleSerializer(), 2),
    BatchedSerializer(PickleSerializer(), 0),
    BatchedSerializer(PickleSerializer()),
    AutoBatchedSerializer(MarshalSerializer(), bestSize=20),
]


def written(serializer: Serializer, rows: Any) -> bytes:
    stream = io.BytesIO()
    serializer.dump_stream(rows, stream)
    return stream.getvalue()


def read(serializer: Serializer, data: bytes) -> list[Any]:
    return list(serializer.load_stream(io.BytesIO(data)))


@pytest.mark.parametrize("serializer", ALL, ids=repr)
@pytest.mark.parametrize("rows", [ROWS, [], list(range(2000))], ids=["few", "none", "many"])
def test_a_stream_gives_what_was_written(serializer: Serializer, rows: list[Any]) -> None:
    assert read(serializer, written(serializer, iter(rows))) == rows


def test_auto_serializer_goes_on_after_what_marshal_cannot() -> None:
    rows = [1, range(3), 2]
    data = written(AutoSerializer(), rows)
    assert read(AutoSerializer(), data) == rows
    with pytest.raises(ValueError, match="invalid serialization type"):
        AutoSerializer().loads(b"?1")


def test_a_frame_is_a_length_and_bytes() -> None:
    frame = struct.pack("!i", 2) + b"ab"
    assert written(NoOpSerializer(), [b"ab"]) == frame
    assert read(NoOpSerializer(), frame + frame[:-1]) == [b"ab"]  # the second one is cut off
    assert read(NoOpSerializer(), frame + frame[:3]) == [b"ab"]
    assert read(NoOpSerializer(), frame + struct.pack("!i", -1) + frame) == [b"ab"]
    assert read(NoOpSerializer(), struct.pack("!i", -5) + frame) == [None, b"ab"]
    text = struct.pack("!i", 2) + "é".encode() + struct.pack("!i", -5)
    assert read(UTF8Deserializer(), text) == ["é", None]
    assert read(UTF8Deserializer(use_unicode=False), text) == ["é".encode(), None]


def test_batches_have_the_size_asked_for() -> None:
    batches = read(PickleSerializer(), written(BatchedSerializer(PickleSerializer(), 2), range(5)))
    assert batches == [[0, 1], [2, 3], [4]]
    large = ["x" * 1000] * 40
    grown = read(PickleSerializer(), written(AutoBatchedSerializer(PickleSerializer(), 100), large))
    assert [len(batch) for batch in grown] == [1, 1] + [1] * 38
    small = read(PickleSerializer(), written(AutoBatchedSerializer(PickleSerializer()), range(7)))
    assert [len(batch) for batch in small] == [1, 2, 4]


def test_functions_go_by_value_where_pyspark_sends_them_so() -> None:
    copy = CPickleSerializer().loads(CPickleSerializer().dumps(lambda x: x + 1))
    assert copy(1) == 2
    with pytest.raises(pickle.PicklingError, match="Could not serialize object.*lock"):
        CPickleSerializer().dumps(threading.Lock())
    with pytest.raises((pickle.PicklingError, AttributeError)):
        PickleSerializer().dumps(lambda: 1)


def test_serializers_with_equal_fields_are_equal() -> None:
    assert BatchedSerializer(PickleSerializer(), 2) == BatchedSerializer(PickleSerializer(), 2)
    assert BatchedSerializer(PickleSerializer(), 2) != BatchedSerializer(PickleSerializer(), 3)
    assert AutoBatchedSerializer(PickleSerializer()) != AutoBatchedSerializer(MarshalSerializer())
    assert len({NoOpSerializer(), NoOpSerializer(), MarshalSerializer()}) == 2


def test_what_is_not_defined_or_makes_no_sense_says_so() -> None:
    class Silent(FramedSerializer):
        def dumps(self, obj: Any) -> Any:
            return None

    with pytest.raises(ValueError, match="should not be None"):
        written(Silent(), [1])
    with pytest.raises(NotImplementedError, match="FramedSerializer.dumps"):
        FramedSerializer().dumps(1)
    with pytest.raises(TypeError, match="FramedSerializer"):
        CompressedSerializer(UTF8Deserializer())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "serializer",
    [AutoBatchedSerializer(CPickleSerializer()), BatchedSerializer(PickleSerializer(), 5)],
    ids=repr,
)
def test_a_context_takes_pickling_in_batches_without_a_word(serializer: Serializer) -> None:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with SparkContext("inline", "batches", serializer=serializer) as sc:
            assert sc.parallelize([1, 2]).map(str).collect() == ["1", "2"]
