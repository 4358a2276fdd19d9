"""The tables behind the scheduler: where kept partitions are, and who waits for which seat."""

from __future__ import annotations

from by_hand import must_not_run

from planner.events import KeptPartition
from planner.kept import KeptTable
from planner.levels import StorageLevel
from planner.placement import Seats, Slot


def kept(persist: int, partition: int, home: str, shared: str | None = None) -> KeptPartition:
    return KeptPartition(persist, partition, home, "live", 1, shared)


# ---- kept partitions -----------------------------------------------------------------------------


def test_a_copy_is_found_at_its_executor_or_its_node() -> None:
    table = KeptTable()
    table.put(kept(1, 0, "e0"))
    table.put(kept(1, 1, "node", shared="file"))
    assert table.find((1, 0), "e0", "node") is not None
    assert table.find((1, 0), "e1", "node") is None
    found = table.find((1, 1), "e1", "node")
    assert found is not None
    assert found.shared == "file"
    assert table.find((2, 0), "e0", "node") is None
    assert table.has(1, 0)
    assert not table.has(1, 2)


def test_dropping_the_last_copy_says_so() -> None:
    table = KeptTable()
    table.put(kept(1, 0, "e0"))
    table.put(kept(1, 0, "e1"))
    assert not table.drop((1, 0), "e0")
    assert not table.drop((1, 0), "e0"), "it is not there any more"
    assert not table.drop((1, 0), "e7")
    assert table.drop((1, 0), "e1")
    assert not table.has(1, 0)


def test_a_lost_home_takes_only_what_was_nowhere_else() -> None:
    table = KeptTable()
    for home in ("e0", "e1"):
        table.put(kept(1, 0, home))
    table.put(kept(1, 2, "e0"))
    table.put(kept(1, 1, "e0"))
    assert table.lose_home("e0") == [(1, 1), (1, 2)]
    assert table.has(1, 0)
    assert table.lose_home("e0") == []


def test_a_released_dataset_leaves_nothing() -> None:
    table = KeptTable()
    table.live |= {1, 2}
    table.put(kept(1, 0, "e0"), seconds=3.0)
    table.put(kept(1, 1, "node", shared="file"))
    table.put(kept(2, 0, "e0"))
    assert table.release(1) == ["file"]
    assert (table.live, list(table.homes), table.at) == ({2}, [(2, 0)], {"e0": {(2, 0)}})
    table.release(2)
    assert not any(table.describe().values())


def test_the_best_homes_have_most_of_what_is_read() -> None:
    table = KeptTable()
    for key, home in (((1, 0), "e0"), ((1, 0), "e1"), ((2, 0), "e1"), ((3, 0), "n2")):
        table.put(kept(*key, home))
    nodes = {"e0": "n0", "e1": "n1", "e2": "n2"}
    assert table.best_homes([(1, 0)], nodes) == ["e0", "e1"]
    assert table.best_homes([(1, 0), (2, 0)], nodes) == ["e1"]
    assert table.best_homes([(3, 0)], nodes) == ["e2"], "its node has it"
    assert table.best_homes([(9, 9)], nodes) == []
    assert table.best_homes([], nodes) == []


# ---- seats ---------------------------------------------------------------------------------------


def seats(*executors: str) -> Seats:
    made = Seats()
    for executor in executors:
        made.add(executor, f"node of {executor}")
    return made


def always(slot: Slot, executor: str, waiting: int) -> bool:
    return True


def test_a_task_waits_where_its_number_points() -> None:
    table = seats("e0", "e1")
    for partition in range(4):
        table.wait_for((7, partition), None, bound=False)
    assert [table.own("e0") for _ in range(3)] == [(7, 0), (7, 2), None]
    assert [table.own("e1") for _ in range(3)] == [(7, 1), (7, 3), None]


def test_bound_tasks_come_before_free_ones() -> None:
    table = seats("e0")
    table.wait_for((1, 0), None, bound=False)
    table.wait_for((2, 0), "e0", bound=True)
    assert [table.own("e0"), table.own("e0")] == [(2, 0), (1, 0)]


def test_anybody_may_take_a_free_task_of_the_longest_queue() -> None:
    table = seats("e0", "e1", "e2")
    for slot, home in (((1, 0), "e0"), ((1, 1), "e1"), ((1, 2), "e1")):
        table.wait_for(slot, home, bound=False)
    assert table.another("e2", must_not_run) == (1, 1)


def test_a_bound_task_is_taken_from_the_end_and_only_if_that_is_allowed() -> None:
    table = seats("e0", "e1")
    for partition in range(3):
        table.wait_for((1, partition), "e0", bound=True)
    assert table.another("e1", lambda slot, executor, waiting: False) is None
    asked = []

    def may(slot: Slot, executor: str, waiting: int) -> bool:
        asked.append((slot, executor, waiting))
        return True

    assert table.another("e1", may) == (1, 2)
    assert asked == [((1, 2), "e1", 3)]
    assert table.own("e0") == (1, 0)


def test_a_home_that_is_gone_is_no_home() -> None:
    table = seats("e0")
    table.wait_for((1, 0), "e9", bound=True)
    assert table.own("e0") == (1, 0)


def test_tasks_wait_even_where_nobody_is() -> None:
    table = seats()
    table.wait_for((1, 0), None, bound=False)
    assert table.waiting() == 1
    table.add("e0", "n0")
    assert table.own("e0") == (1, 0)


def test_an_executor_that_goes_gives_back_what_waited_for_it() -> None:
    table = seats("e0", "e1")
    table.wait_for((1, 0), "e0", bound=True)
    table.wait_for((2, 0), "e0", bound=False)
    table.busy["e0"] = 5
    assert table.remove("e0") == (5, [(1, 0), (2, 0)])
    assert table.remove("e0") == (None, [])
    assert table.idle() == ["e1"]
    assert table.waiting() == 0


def test_a_purged_stage_waits_nowhere() -> None:
    table = seats("e0")
    for stage in (1, 2, 1):
        table.wait_for((stage, 0), None, bound=False)
        table.wait_for((stage, 1), "e0", bound=True)
    table.purge(1)
    assert table.waiting() == 2
    assert [table.own("e0"), table.own("e0")] == [(2, 1), (2, 0)]


def test_nothing_starts_until_all_the_first_executors_are_there() -> None:
    table = Seats()
    table.await_more(2)
    assert table.opening
    table.await_less()
    assert table.opening
    table.await_less()
    assert not table.opening
    table.await_more(1)
    assert not table.opening, "a replacement is not waited for"
    assert table.awaited == 1


# ---- levels --------------------------------------------------------------------------------------


def test_levels_compare_by_what_they_say() -> None:
    same = StorageLevel(True, True, False, False, 1)
    assert same == StorageLevel.MEMORY_AND_DISK
    assert hash(same) == hash(StorageLevel.MEMORY_AND_DISK)
    assert same != StorageLevel.MEMORY_AND_DISK_2
    assert same != "MEMORY_AND_DISK"


def test_levels_are_written_as_in_pyspark() -> None:
    assert str(StorageLevel.MEMORY_AND_DISK_2) == "Disk Memory Serialized 2x Replicated"
    assert str(StorageLevel.OFF_HEAP) == "Disk Memory OffHeap Serialized 1x Replicated"
    assert str(StorageLevel.MEMORY_AND_DISK_DESER) == "Disk Memory Deserialized 1x Replicated"
    assert repr(StorageLevel.DISK_ONLY_3) == "StorageLevel(True, False, False, False, 3)"
