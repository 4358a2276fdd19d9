"""The context where it does not belong, after its end, twice; masters and numbers that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import add
from pathlib import Path
from typing import Any

import pytest
from bad import here, refused, works

from executors.unpicklable import ClosureError
from minispark import SparkConf, SparkContext, chaos
from minispark.errors import PySparkRuntimeError

ON_DRIVER = "CONTEXT_ONLY_VALID_ON_DRIVER"
DATA_ON_DRIVER = "A dataset can only be used in the driver"


@pytest.fixture(scope="module", params=["inline[2]", "local[2]"])
def sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    from contexts import make_context

    context = make_context(request.param, request)
    yield context
    context.stop()


# ---- in a task -----------------------------------------------------------------------------------


def test_the_context_in_a_function(sc: SparkContext) -> None:
    words = ["variable 'sc' of <lambda>()", ON_DRIVER, "pass the values it needs instead"]
    with refused(sc, ClosureError, *words) as caught:
        data, site = sc.parallelize([1, 2]).map(lambda n: sc.parallelize([n]).count()), here()
        data.collect()
    assert str(caught.value).endswith(f"[map at {site}]")


def test_a_context_made_in_a_task(sc: SparkContext) -> None:
    with refused(sc, PySparkRuntimeError, ON_DRIVER, "map at test_misuse.py"):
        sc.parallelize([1]).map(lambda n: SparkContext("local[1]", "x")).map(str).collect()
    if not sc.master.startswith("inline"):  # there the driver's own context is at hand
        with refused(sc, PySparkRuntimeError, ON_DRIVER, "map at test_misuse.py"):
            sc.parallelize([1]).map(lambda n: SparkContext.getOrCreate()).map(str).collect()


def test_a_dataset_in_a_function_or_in_data(sc: SparkContext) -> None:
    data = sc.parallelize(range(4), 2)
    words = ["variable 'data' of <lambda>()", DATA_ON_DRIVER, "collect() it first, or join()"]
    with refused(sc, ClosureError, *words, "[map at test_misuse.py"):
        data.map(lambda n: data.count()).collect()
    words = ["element 0 of the collection", DATA_ON_DRIVER, "[parallelize at test_misuse.py"]
    with refused(sc, ClosureError, *words):
        sc.parallelize([data])


def test_an_accumulator_read_in_a_task(sc: SparkContext) -> None:
    seen = sc.accumulator(0)
    words = ["VALUE_NOT_ACCESSIBLE", "tasks add to it, the driver reads it", "map at test_misuse"]
    with refused(sc, PySparkRuntimeError, *words):
        sc.parallelize([1, 2]).map(lambda n: seen.value).collect()


def test_a_destroyed_broadcast(sc: SparkContext) -> None:
    table = sc.broadcast({1: "one"})
    names = sc.parallelize([1, 1]).map(lambda n: table.value[n])
    assert names.collect() == ["one", "one"]
    table.destroy()
    words = ["variable 'table'", "BROADCAST_DESTROYED", "by destroy at test_misuse.py"]
    with refused(sc, ClosureError, *words, "[map at test_misuse.py"):
        names.collect()


def test_other_things_than_datasets(sc: SparkContext) -> None:
    pairs = sc.parallelize([(1, 2)])
    for ask in (pairs.join, pairs.union, pairs.cogroup, pairs.zip, pairs.cartesian, pairs.subtract):
        with refused(sc, TypeError, "list"):
            ask([(1, 2)])


# ---- after its end, and twice --------------------------------------------------------------------


@pytest.mark.parametrize("master", ["inline[2]", "local[2]"])
def test_after_stop_everything_says_so(tmp_path: Path, master: str) -> None:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    sc = SparkContext(master, "stopped")
    data = sc.parallelize(range(10), 2).cache()
    sums = data.map(lambda n: (n % 2, n)).reduceByKey(add)
    assert sums.count() == 2
    total, table, opened = sc.accumulator(0), sc.broadcast([1]), sc.broadcast([2])
    assert opened.value == [2]
    data.foreach(total.add)
    rows = sc.parallelize(range(100), 10).toLocalIterator()
    assert next(rows) == 0
    fault = chaos.kill_executor()
    site = (sc.stop(), here())[1]
    uses: list[Callable[[], Any]] = [
        data.collect,
        data.count,
        data.first,
        data.cache,
        data.unpersist,
        data.toDebugString,
        data.localCheckpoint,
        data.getStorageLevel,
        data.map(abs).sum,
        sums.collect,
        sums.sortByKey,
        data.cleanShuffleDependencies,
        lambda: data.saveAsTextFile(str(tmp_path / "out")),
        lambda: list(rows),
        lambda: table.value,
        lambda: sc.parallelize([1]),
        lambda: sc.range(3),
        lambda: sc.textFile(__file__),
        lambda: sc.union([data]),
        lambda: sc.emptyRDD(),
        lambda: sc.broadcast(1),
        lambda: sc.runJob(data, list),
        lambda: sc.addFile(__file__),
        lambda: sc.addPyFile(__file__),
        lambda: sc.setCheckpointDir(str(tmp_path)),
        lambda: sc.cancelAllJobs(),
        lambda: sc.defaultParallelism,
    ]
    for use in uses:
        with pytest.raises(PySparkRuntimeError) as caught:
            use()
        said = str(caught.value)
        assert "was stopped by stop" in said and site in said and "make a new one" in said
        assert "\n" not in said
    assert list(tmp_path.iterdir()) == []
    assert (total.value, opened.value) == (45, [2]), "what the driver has stays readable"
    with pytest.raises(RuntimeError, match="there is no SparkContext"):
        chaos.kill_executor()
    fault.disarm()
    table.destroy()
    sc.stop()
    with SparkContext(master, "next") as following:
        with refused(following, ClosureError, "variable 'opened'", "was stopped by stop"):
            following.parallelize([1]).map(lambda n: opened.value).collect()
        with refused(following, ValueError, "belong to different SparkContexts"):
            following.parallelize([1]).union(data)
        with pytest.raises(PySparkRuntimeError, match="was stopped by stop"):
            data.count()
        assert works(following)


def test_a_second_context_names_the_first(sc: SparkContext) -> None:
    words = ["there is a SparkContext already", f"master={sc.master}", "contexts.py:", "stop() it"]
    with refused(sc, ValueError, *words, "SparkContext.getOrCreate()"):
        SparkContext("local[1]", "second")
    assert SparkContext.getOrCreate() is sc


# ---- names and numbers ---------------------------------------------------------------------------


@pytest.fixture
def nothing_active() -> None:
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()


@pytest.mark.usefixtures("nothing_active")
@pytest.mark.parametrize(
    "master",
    [
        "nonsense",
        "local[0]",
        "local[-1]",
        "local[x]",
        "local[2,x]",
        "ray[0]",
        "yarn",
        "spark://h:1",
    ],
)
def test_unknown_masters(master: str) -> None:
    with pytest.raises(ValueError, match="Could not parse Master URL") as caught:
        SparkContext(master, "x")
    assert repr(master) in str(caught.value) and "\n" not in str(caught.value)
    assert "local[n]" in str(caught.value) or "asks for no executor" in str(caught.value)
    with SparkContext("inline", "the place is free") as sc:
        assert works(sc)


@pytest.mark.usefixtures("nothing_active")
@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("spark.executor.memory", "lots", "is not a size; write 512m, 1g"),
        ("spark.executor.memory", "-1g", "is not a size"),
        ("spark.driver.maxResultSize", "x", "is not a size"),
        ("spark.task.maxFailures", "0", "not a whole number above zero"),
        ("minispark.task.maxLosses", "no", "not a whole number above zero"),
        ("spark.default.parallelism", "-3", "not a whole number above zero"),
    ],
)
def test_settings_that_make_no_sense(key: str, value: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"setting {key}: '{value}'") as caught:
        SparkContext("local[1]", "x", conf=SparkConf().set(key, value))
    assert words in str(caught.value)
    assert SparkContext._active_spark_context is None


@pytest.mark.usefixtures("nothing_active")
@pytest.mark.parametrize("master", ["inline", "local[1]"])
def test_a_local_folder_that_cannot_be(tmp_path: Path, master: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    conf = SparkConf().set("spark.local.dir", str(tmp_path / "file" / "there"))
    with pytest.raises(OSError, match=r"\(spark\.local\.dir\)") as caught:
        SparkContext(master, "x", conf=conf)
    assert caught.value.filename == str(tmp_path / "file" / "there")
    conf.set("spark.local.dir", str(tmp_path / "new" / "folder"))
    with SparkContext(master, "x", conf=conf) as sc:
        assert works(sc)
    assert list((tmp_path / "new" / "folder").iterdir()) == []


PARTITIONED: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "parallelize": lambda sc, d, p, n: sc.parallelize([1, 2], n),
    "range": lambda sc, d, p, n: sc.range(0, 10, 1, n),
    "textFile": lambda sc, d, p, n: sc.textFile(__file__, n),
    "wholeTextFiles": lambda sc, d, p, n: sc.wholeTextFiles(__file__, n),
    "binaryFiles": lambda sc, d, p, n: sc.binaryFiles(__file__, n),
    "pickleFile": lambda sc, d, p, n: sc.pickleFile(__file__, n),
    "repartition": lambda sc, d, p, n: d.repartition(n),
    "coalesce": lambda sc, d, p, n: d.coalesce(n),
    "coalesce with shuffle": lambda sc, d, p, n: d.coalesce(n, True),
    "distinct": lambda sc, d, p, n: d.distinct(n),
    "groupBy": lambda sc, d, p, n: d.groupBy(abs, n),
    "sortBy": lambda sc, d, p, n: d.sortBy(abs, True, n),
    "subtract": lambda sc, d, p, n: d.subtract(d, n),
    "sortByKey": lambda sc, d, p, n: p.sortByKey(True, n),
    "partitionBy": lambda sc, d, p, n: p.partitionBy(n),
    "reduceByKey": lambda sc, d, p, n: p.reduceByKey(add, n),
    "groupByKey": lambda sc, d, p, n: p.groupByKey(n),
    "combineByKey": lambda sc, d, p, n: p.combineByKey(int, add, add, n),
    "aggregateByKey": lambda sc, d, p, n: p.aggregateByKey(0, add, add, n),
    "foldByKey": lambda sc, d, p, n: p.foldByKey(0, add, n),
    "join": lambda sc, d, p, n: p.join(p, n),
    "leftOuterJoin": lambda sc, d, p, n: p.leftOuterJoin(p, n),
    "rightOuterJoin": lambda sc, d, p, n: p.rightOuterJoin(p, n),
    "fullOuterJoin": lambda sc, d, p, n: p.fullOuterJoin(p, n),
    "cogroup": lambda sc, d, p, n: p.cogroup(p, n),
    "subtractByKey": lambda sc, d, p, n: p.subtractByKey(p, n),
    "sorted within": lambda sc, d, p, n: p.repartitionAndSortWithinPartitions(n),
    "treeReduce": lambda sc, d, p, n: d.treeReduce(add, n),
    "treeAggregate": lambda sc, d, p, n: d.treeAggregate(0, add, add, n),
}
OF_FILES = {"textFile", "wholeTextFiles", "binaryFiles", "pickleFile"}  # there 0 means "you choose"


@pytest.mark.parametrize("method", PARTITIONED)
def test_numbers_of_partitions(sc: SparkContext, method: str) -> None:
    data = sc.parallelize(range(10), 2)
    pairs = data.map(lambda n: (n, n))
    for number in (-1, 0):
        if number == 0 and method in OF_FILES:
            continue
        with pytest.raises(ValueError, match=r"positive|at least 1|negative|smaller than 1") as e:
            PARTITIONED[method](sc, data, pairs, number)
        assert str(number) in str(e.value) and "\n" not in str(e.value)
    if method not in ("parallelize", "range"):  # these take what int() takes, as in PySpark
        with pytest.raises(TypeError, match=r"must be an int, not str|as an integer"):
            PARTITIONED[method](sc, data, pairs, "2")


def test_partitions_that_are_not_there(sc: SparkContext) -> None:
    data = sc.parallelize(range(4), 2)
    with refused(sc, ValueError, "there is no partition 7: the dataset has 2 of them"):
        sc.runJob(data, list, [0, 7])
    with refused(sc, TypeError, "must be an int, not NoneType"):
        data.repartition(None)  # type: ignore[arg-type]
