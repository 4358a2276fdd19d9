"""SparkContext: one at a time, where datasets come from, thread properties, files for tasks."""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from executors.formats import save
from minispark import (
    InheritableThread,
    JobCancelled,
    SparkConf,
    SparkContext,
    SparkFiles,
    TaskContext,
    inheritable_thread_target,
)
from minispark.errors import PySparkRuntimeError


@pytest.fixture
def nothing_active() -> Iterator[None]:
    """No context before."""
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()
    yield


def glom(dataset: Any) -> Any:
    return dataset.glom().collect()


# ---- one at a time -------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_active")
class TestLife:
    def test_a_second_context_names_the_first(self) -> None:
        with SparkContext("inline", "first") as sc:
            with pytest.raises(ValueError, match=r"app=first, master=inline.*test_context\.py:\d+"):
                SparkContext("inline", "second")
            assert SparkContext._active_spark_context is sc
            assert SparkContext.getOrCreate() is sc
        assert SparkContext._active_spark_context is None

    def test_one_that_fails_to_start_leaves_room(self) -> None:
        for master, conf in (
            ("nonsense", SparkConf()),
            ("inline", SparkConf().set("minispark.x", 1)),
        ):
            with pytest.raises(ValueError, match="nonsense|minispark.x"):
                SparkContext(master, "x", conf=conf)
            assert SparkContext._active_spark_context is None

    def test_use_after_stop_is_one_clear_line(self) -> None:
        sc = SparkContext("inline", "x")
        data = sc.range(3)
        sc.stop()
        sc.stop()
        uses = [
            lambda: sc.parallelize([1], 1),
            lambda: sc.range(3),
            lambda: sc.emptyRDD(),
            lambda: sc.textFile(__file__),
            lambda: sc.broadcast(1),
            lambda: sc.setCheckpointDir("/tmp"),
            lambda: sc.cancelAllJobs(),
            data.collect,
        ]
        for use in uses:
            with pytest.raises(PySparkRuntimeError, match=r"was stopped by stop at test_context"):
                use()
        assert repr(sc) == "<SparkContext master=inline appName=x>"

    def test_arguments_win_over_the_conf(self) -> None:
        conf = SparkConf().setMaster("local[1]").setAppName("conf").set("spark.home", "/there")
        with SparkContext("inline[3]", "argument", environment={"A": "1"}, conf=conf) as sc:
            assert (sc.master, sc.appName, sc.sparkHome) == ("inline[3]", "argument", "/there")
            assert sc.environment["A"] == "1"
            assert sc.defaultParallelism == 3
            assert sc.defaultMinPartitions == 2
            assert sc.getConf().get("spark.executorEnv.A") == "1"
            sc.getConf().set("spark.app.name", "other")
            assert sc.getConf().get("spark.app.name") == "argument"
            assert sc.startTime <= time.time() * 1000
            assert sc.applicationId.startswith("inline-")
        assert conf.get("spark.master") == "local[1]"

    def test_executors_get_their_environment(self) -> None:
        conf = SparkConf().setExecutorEnv("COLOUR_OF_TESTS", "red")
        with SparkContext(
            "local[1]", "x", environment={"SHAPE_OF_TESTS": "round"}, conf=conf
        ) as sc:
            names = ["COLOUR_OF_TESTS", "SHAPE_OF_TESTS"]
            assert sc.parallelize(names, 1).map(lambda name: os.environ.get(name)).collect() == [
                "red",
                "round",
            ]

    def test_the_master_comes_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MINISPARK_MASTER", "inline[2]")
        with SparkContext() as sc:
            assert sc.master == "inline[2]"
        with SparkContext("inline") as sc:
            assert sc.master == "inline"

    def test_default_parallelism_can_be_set(self) -> None:
        conf = SparkConf().set("spark.default.parallelism", "7")
        with SparkContext("inline", "x", conf=conf) as sc:
            assert sc.defaultParallelism == 7
            assert sc.parallelize(range(9)).getNumPartitions() == 7

    def test_system_properties_are_settings_of_later_contexts(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("minispark.conf.system_properties", properties := {})
        monkeypatch.setattr("minispark.about.system_properties", properties)
        SparkContext.setSystemProperty("spark.default.parallelism", "5")
        with SparkContext("inline", "x") as sc:
            assert sc.defaultParallelism == 5
        assert SparkContext.getSystemProperty("spark.default.parallelism") == "5"

    def test_resources_are_discovered(self, tmp_path: Path) -> None:
        script = tmp_path / "gpus.sh"
        script.write_text('#!/bin/sh\necho \'{"name": "gpu", "addresses": ["0", "1"]}\'\n')
        script.chmod(0o755)
        conf = SparkConf().set("spark.driver.resource.gpu.amount", "1")
        with pytest.raises(ValueError, match="discoveryScript must be set"):
            SparkContext("inline", "x", conf=conf)
        conf.set("spark.driver.resource.gpu.discoveryScript", str(script))
        with SparkContext("inline", "x", conf=conf) as sc:
            assert sc.resources["gpu"].addresses == ["0", "1"]

    def test_another_serializer_is_not_silently_accepted(self) -> None:
        from minispark import MarshalSerializer

        with (
            pytest.warns(UserWarning, match="MarshalSerializer is not used"),
            SparkContext("inline", "x", serializer=MarshalSerializer()) as sc,
        ):
            assert sc.range(3).collect() == [0, 1, 2]

    def test_files_of_the_settings_are_added(self, tmp_path: Path) -> None:
        (tmp_path / "data.txt").write_text("1")
        (tmp_path / "module_of_settings.py").write_text("value = 5")
        conf = SparkConf().set("spark.files", tmp_path / "data.txt")
        modules = [str(tmp_path / "module_of_settings.py")]
        before = list(sys.path)
        with SparkContext("inline", "x", pyFiles=modules, conf=conf):
            assert Path(SparkFiles.get("data.txt")).read_text() == "1"
            import module_of_settings

            assert module_of_settings.value == 5
            del sys.modules["module_of_settings"]
        assert sys.path == before
        with pytest.raises(RuntimeError, match="without a SparkContext"):
            SparkFiles.getRootDirectory()

    def test_folders_within_folders_by_setting(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.txt").write_text("deep")
        key = "spark.hadoop.mapreduce.input.fileinputformat.input.dir.recursive"
        with SparkContext("inline", "x") as sc, pytest.raises(IsADirectoryError, match=key):
            sc.textFile(str(tmp_path))
        with SparkContext("inline", "x", conf=SparkConf().set(key, True)) as sc:
            assert sc.textFile(str(tmp_path)).collect() == ["deep"]

    def test_nobody_is_warned_without_reason(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with SparkContext("local[2]", "quiet") as sc:
                assert sc.range(10).map(lambda x: x).count() == 10


# ---- collections ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elements", "slices", "expected"),
    [
        (list(range(10)), 4, [[0, 1], [2, 3], [4, 5], [6, 7, 8, 9]]),
        (range(10), 4, [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]),
        (range(10, 0, -3), 3, [[10], [7], [4, 1]]),
        (range(0), 2, [[], []]),
        ([1, 2], 5, [[], [], [1], [], [2]]),
        ([], 3, [[], [], []]),
        ("abc", 2, [["a"], ["b", "c"]]),
        ({1: 2, 3: 4}, 2, [[1], [3]]),
    ],
)
def test_slices_are_those_of_pyspark(
    sc: SparkContext, elements: Any, slices: int, expected: Any
) -> None:
    assert glom(sc.parallelize(elements, slices)) == expected


def test_a_generator_is_read_once(sc: SparkContext) -> None:
    assert glom(sc.parallelize((i for i in range(4)), 2)) == [[0, 1], [2, 3]]


def test_large_collections_are_cut_between_batches(sc: SparkContext) -> None:
    sizes = [len(rows) for rows in glom(sc.parallelize(list(range(5000)), 3))]
    assert sizes == [1024, 2048, 1928]


def test_numpy_arrays(sc: SparkContext) -> None:
    rows = sc.parallelize(np.arange(4), 2).collect()
    assert rows == [0, 1, 2, 3]
    assert isinstance(rows[0], np.int64)
    (first, second) = sc.parallelize(np.arange(4).reshape(2, 2), 2).collect()
    assert first.tolist() == [0, 1]
    assert second.tolist() == [2, 3]
    objects = np.array([{"a": 1}, None], dtype=object)
    assert sc.parallelize(objects, 2).collect() == [{"a": 1}, None]


def test_bad_collections(sc: SparkContext) -> None:
    for slices in (0, -1):
        for elements in ([1], range(3)):
            with pytest.raises(ValueError, match="at least 1"):
                sc.parallelize(elements, slices)
    with pytest.raises(TypeError, match="not iterable"):
        sc.parallelize(5)
    with pytest.raises(pickle.PicklingError, match="element 7001 of the collection: lock"):
        sc.parallelize([1] * 7001 + [threading.Lock()], 1)
    with pytest.raises(ValueError, match="zero"):
        sc.range(0, 10, 0)
    with pytest.raises(IndexError):
        sc.union([])


def test_ranges(sc: SparkContext) -> None:
    assert sc.range(3).collect() == [0, 1, 2]
    assert sc.range(1, 7, 2).collect() == [1, 3, 5]
    assert sc.range(10**15, numSlices=3).map(lambda x: x + 1).first() == 1
    assert sc.emptyRDD().getNumPartitions() == 0
    assert sc.emptyRDD().collect() == []
    assert sc.union([sc.range(2), sc.emptyRDD(), sc.range(1)]).collect() == [0, 1, 0]


def test_classes_of_the_script_travel(sc: SparkContext) -> None:
    class Point:
        def __init__(self, x: int) -> None:
            self.x = x

    assert sc.parallelize([Point(1), Point(2)]).map(lambda point: point.x).sum() == 3


# ---- files ---------------------------------------------------------------------------------------


def test_readers(sc: SparkContext, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    (tmp_path / "b.txt").write_text("three")
    assert sc.textFile(str(tmp_path)).collect() == ["one", "two", "three"]
    assert sc.textFile(f"{tmp_path}/a.txt", 1, False).collect() == [b"one", b"two"]
    assert sc.textFile(f"{tmp_path}/a.txt").name() == f"{tmp_path}/a.txt"
    assert sc.wholeTextFiles(f"{tmp_path}/b*").collect() == [(f"file:{tmp_path}/b.txt", "three")]
    assert sc.binaryFiles(f"{tmp_path}/b*").collect() == [(f"file:{tmp_path}/b.txt", b"three")]
    assert sc.binaryRecords(f"{tmp_path}/a.txt", 4).collect() == [b"one\n", b"two\n"]
    with pytest.raises(FileNotFoundError, match="Input path does not exist: file:/nowhere"):
        sc.textFile("/nowhere")


def test_a_disk_that_is_full_leaves_no_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sc: SparkContext
) -> None:
    if not sc.master.startswith("inline"):
        pytest.skip("the patch does not reach other processes")
    real = save.create

    def full(system: Any, inside: str) -> Any:
        if "part-00001" in inside:
            raise OSError(28, "No space left on device", inside)
        return real(system, inside)

    monkeypatch.setattr(save, "create", full)
    with pytest.raises(OSError, match="No space left"):
        sc.range(4, numSlices=2).saveAsTextFile(f"{tmp_path}/out")
    assert os.listdir(tmp_path) == []


def test_what_needs_hadoop_says_so(sc: SparkContext) -> None:
    calls = {
        "sequenceFile": ("p",),
        "hadoopFile": ("p", "f", "k", "v"),
        "newAPIHadoopFile": ("p", "f", "k", "v"),
        "hadoopRDD": ("f", "k", "v"),
        "newAPIHadoopRDD": ("f", "k", "v"),
    }
    for name, arguments in calls.items():
        with pytest.raises(NotImplementedError, match=f"SparkContext.{name} needs Hadoop.*; use "):
            getattr(sc, name)(*arguments)


def test_checkpoint_dir(sc: SparkContext, tmp_path: Path) -> None:
    sc.setCheckpointDir(str(tmp_path / "checkpoints"))
    folder = sc.getCheckpointDir()
    assert folder is not None
    assert os.path.dirname(folder) == f"file:{tmp_path}/checkpoints"
    data = sc.range(4).map(lambda x: x * x)
    data.checkpoint()
    assert data.collect() == [0, 1, 4, 9]
    assert sc._checkpointFile(data.getCheckpointFile()).collect() == [0, 1, 4, 9]


# ---- threads and jobs ----------------------------------------------------------------------------


def in_thread(kind: Any, f: Any) -> list[Any]:
    found: list[Any] = []
    thread = kind(target=lambda: found.append(f()))
    thread.start()
    thread.join()
    return found


def test_properties_belong_to_a_thread(sc: SparkContext) -> None:
    sc.setJobGroup("group", "what", True)
    sc.addJobTag("a")
    sc.addJobTag("b")
    sc.addJobTag("a")

    def seen() -> Any:
        return sc.getLocalProperty("spark.jobGroup.id"), sc.getJobTags()

    try:
        assert in_thread(threading.Thread, seen) == [(None, set())]
        assert in_thread(InheritableThread, seen) == [("group", {"a", "b"})]
        wrapped = inheritable_thread_target(seen)
        sc.removeJobTag("a")
        assert in_thread(threading.Thread, wrapped) == [("group", {"a", "b"})]
        keys = ("spark.job.description", "spark.job.interruptOnCancel", "spark.job.tags")
        assert [sc.getLocalProperty(key) for key in keys] == ["what", "true", "b"]
        task = sc.range(1, numSlices=1).map(
            lambda _: TaskContext.get().getLocalProperty("spark.jobGroup.id")
        )
        assert task.first() == "group"
    finally:
        sc.clearJobTags()
        sc.setLocalProperty("spark.jobGroup.id", None)
        sc.setJobDescription(None)
    assert sc.getJobTags() == set()


def test_bad_tags_and_properties(sc: SparkContext) -> None:
    for tag in ("", "a,b"):
        with pytest.raises(ValueError, match="job tag"):
            sc.addJobTag(tag)
    with pytest.raises(TypeError, match="a job tag is a str"):
        sc.addJobTag(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a local property is a str"):
        sc.setLocalProperty("a", 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="comma"):
        sc.cancelJobsWithTag("a,b")
    with pytest.raises(ValueError, match="unknown log level 'loud'"):
        sc.setLogLevel("loud")


def test_run_job(sc: SparkContext) -> None:
    data = sc.parallelize(range(6), 3)
    assert sc.runJob(data, lambda rows: [x * x for x in rows]) == [0, 1, 4, 9, 16, 25]
    assert sc.runJob(data, lambda rows: [sum(rows)], [2, 0, 0], True) == [9, 1, 1]
    assert sc.runJob(data, lambda rows: rows, []) == []
    for partition in (3, -1):
        with pytest.raises(ValueError, match=f"no partition {partition}: the dataset has 3"):
            sc.runJob(data, lambda rows: rows, [partition])


def sleep_long(sc: SparkContext, ended: list[BaseException]) -> None:
    try:
        sc.range(2, numSlices=2).foreach(lambda _: time.sleep(60))
    except JobCancelled as error:
        ended.append(error)


def test_jobs_are_cancelled_by_group_and_tag_and_tracked(local_sc: SparkContext) -> None:
    sc = local_sc
    for cancel in (
        lambda: sc.cancelJobGroup("slow group"),
        lambda: sc.cancelJobsWithTag("slow"),
        sc.cancelAllJobs,
    ):
        sc.setJobGroup("slow group", "sleeps")
        sc.addJobTag("slow")
        ended: list[BaseException] = []
        thread = InheritableThread(target=sleep_long, args=(sc, ended))
        tracker = sc.statusTracker()
        known = set(tracker.getJobIdsForGroup("slow group"))
        thread.start()
        deadline = time.monotonic() + 20
        while not (fresh := set(tracker.getJobIdsForGroup("slow group")) - known):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        (job,) = fresh
        while (stage := tracker.getStageInfo(tracker.getJobInfo(job).stageIds[0])) is None or (
            stage.numActiveTasks < 2
        ):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert (stage.numTasks, stage.numCompletedTasks, stage.numFailedTasks) == (2, 0, 0)
        assert tracker.getJobInfo(job).status == "RUNNING"
        assert tracker.getActiveJobsIds() == [job]
        assert tracker.getActiveStageIds() == [stage.stageId]
        cancel()
        thread.join(20)
        assert len(ended) == 1
        assert tracker.getJobInfo(job).status == "FAILED"
        assert tracker.getActiveJobsIds() == []
        assert tracker.getActiveStageIds() == []
        sc.clearJobTags()
        sc.setLocalProperty("spark.jobGroup.id", None)
    assert sc.range(3).collect() == [0, 1, 2]


def test_executors_are_told(local_sc: SparkContext) -> None:
    kept = local_sc.range(10).cache()
    kept.count()
    infos = local_sc.statusTracker().getExecutorInfos()
    assert len(infos) == 2
    assert all(info.totalOnHeapStorageMemory > 0 for info in infos)
    assert sum(info.cacheSize for info in infos) > 0


# ---- a context stays in the driver ---------------------------------------------------------------


def test_a_context_cannot_be_pickled_or_used_in_a_task(sc: SparkContext) -> None:
    with pytest.raises(PySparkRuntimeError, match="CONTEXT_ONLY_VALID_ON_DRIVER"):
        pickle.dumps(sc)
    with pytest.raises(pickle.PicklingError, match=r"'sc'.*CONTEXT_ONLY_VALID_ON_DRIVER"):
        sc.range(1).map(lambda _: sc.version).collect()
    with pytest.raises(RuntimeError, match="CONTEXT_ONLY_VALID_ON_DRIVER"):
        sc.range(1).map(lambda _: SparkContext("inline", "inner")).collect()


# ---- files for tasks -----------------------------------------------------------------------------


def test_added_files(local_sc: SparkContext, tmp_path: Path) -> None:
    sc = local_sc
    path = tmp_path / "numbers.txt"
    path.write_text("100")
    sc.addFile(str(path))
    sc.addFile(f"file://{path}")
    assert sc.listFiles == [f"file:{path}"]
    path.unlink()

    def read(_: int) -> str:
        return Path(SparkFiles.get("numbers.txt")).read_text()

    assert sc.range(2).map(read).collect() == ["100", "100"]
    assert Path(SparkFiles.get("numbers.txt")).read_text() == "100"

    other = tmp_path / "other" / "numbers.txt"
    other.parent.mkdir()
    other.write_text("200")
    with pytest.raises(FileExistsError, match=r"another file of the name 'numbers\.txt'"):
        sc.addFile(str(other))
    other.write_text("100")
    sc.addFile(str(other))
    with pytest.raises(FileNotFoundError, match="does not exist"):
        sc.addFile(str(tmp_path / "nothing"))
    with pytest.raises(IsADirectoryError, match="recursive=True"):
        sc.addFile(str(other.parent))


def test_added_folders(local_sc: SparkContext, tmp_path: Path) -> None:
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "below" / "x.txt").write_text("deep")
    local_sc.addFile(str(tmp_path / "folder"), True)
    read = local_sc.range(1).map(lambda _: Path(SparkFiles.get("folder/below/x.txt")).read_text())
    assert read.first() == "deep"


def test_added_modules(local_sc: SparkContext, tmp_path: Path) -> None:
    def say(name: str) -> Any:
        return __import__(name).hello()

    (tmp_path / "a_plain_module.py").write_text("def hello(): return 'plain'")
    package = tmp_path / "package"
    package.mkdir()
    (package / "a_zipped_module.py").write_text("def hello(): return 'zipped'")
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", package)
    with pytest.raises(ModuleNotFoundError):
        local_sc.range(2, numSlices=2).map(lambda _: say("a_plain_module")).collect()
    local_sc.addPyFile(str(tmp_path / "a_plain_module.py"))
    local_sc.addPyFile(archive)
    for name, word in (("a_plain_module", "plain"), ("a_zipped_module", "zipped")):
        assert say(name) == word
        found = local_sc.range(4, numSlices=4).map(lambda _, name=name: say(name)).collect()
        assert found == [word] * 4
        del sys.modules[name]


def test_added_archives(local_sc: SparkContext, tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (folder / "x.txt").write_text("packed")
    for kind, end in (("zip", "zip"), ("gztar", "tar.gz")):
        archive = shutil.make_archive(str(tmp_path / "pack"), kind, folder)
        local_sc.addArchive(archive)
        local_sc.addArchive(archive)
        local_sc.addArchive(f"{archive}#alias_{kind}")
        assert f"file:{archive}" in local_sc.listArchives
        for name in (f"pack.{end}", f"alias_{kind}"):
            read = local_sc.range(1).map(
                lambda _, name=name: Path(SparkFiles.get(name), "x.txt").read_text()
            )
            assert read.first() == "packed"
    assert len(local_sc.listArchives) == 4
    with pytest.raises(ValueError, match="is not an archive"):
        local_sc.addArchive(str(folder / "x.txt"))
