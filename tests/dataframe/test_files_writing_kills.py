"""Writes by processes that are killed or cancelled in the middle of their rows."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from contexts import make_context
from filing import opened, rows_of, whole, writer

from minispark import SparkContext


@pytest.fixture(scope="module")
def sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    context = make_context("local[2]", request)
    yield context
    context.stop()


@dataclass(frozen=True)
class KillsOnce:
    """Kills its own process in partition 1, in the middle of its rows, once."""

    flag: str

    def __call__(self, index: int, at: int) -> None:
        if index == 1 and at == 0 and not os.path.exists(self.flag):
            Path(self.flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Sleeps:
    """Says that it has begun, then takes long."""

    flag: str

    def __call__(self, index: int, at: int) -> None:
        Path(self.flag).touch()
        time.sleep(30)


def test_a_process_killed_in_the_middle_of_its_rows(sc: SparkContext, tmp_path: Path) -> None:
    out = tmp_path / "out"
    writer(sc, on_the_way=KillsOnce(str(tmp_path / "flag"))).parquet(str(out))
    assert (tmp_path / "flag").exists()
    assert sorted(rows_of(opened("parquet", out))) == whole()
    assert len(list(out.iterdir())) == 4  # a file a partition, and _SUCCESS


def test_a_write_that_is_cancelled_leaves_nothing(sc: SparkContext, tmp_path: Path) -> None:
    flag, out = tmp_path / "begun", tmp_path / "out"

    def cancel() -> None:
        while not flag.exists():
            time.sleep(0.01)
        sc.cancelAllJobs()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Exception, match="cancel"):
        writer(sc, on_the_way=Sleeps(str(flag))).parquet(str(out))
    thread.join()
    assert not out.exists()
