"""Plans as text, and the user's lines in them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from by_hand import mapped, must_not_run, shuffled, source, zipped

import planner.site
from planner.levels import StorageLevel
from planner.ops import Filter, Map, MapPartitions
from planner.partitioning import Hash
from planner.picture import debug_string
from planner.plan import Exchange, Narrow, Node, Persist, Union
from planner.site import NOWHERE, Site, call_site, is_engine_file, short_file
from planner.stages import Splitter


def at(line: int, method: str = "map") -> Site:
    return Site(method, "/home/me/job.py", line)


def words(text: str) -> list[str]:
    """The lines without what is in square brackets at their end."""
    return [line.split(" [")[0] for line in text.splitlines()]


def test_a_lineage_is_shown_newest_first_with_the_users_lines() -> None:
    base = Narrow(source(3), Map(must_not_run), site=at(1))
    wide = Exchange(base, Hash(2), site=at(2, "reduceByKey"))
    plan = Narrow(wide, Filter(must_not_run), site=at(3, "filter"))
    assert debug_string(plan, Splitter()).splitlines() == [
        "(2) Filter [filter at job.py:3]",
        " |  Exchange Hash(2) [reduceByKey at job.py:2]",
        " +-(3) Map [map at job.py:1]",
        " |   |  Source [internal at :0]",
    ]


def test_a_kept_dataset_says_so() -> None:
    splitter = Splitter()
    base = mapped(source(2))
    splitter.kept[base.id] = (1, StorageLevel.MEMORY_AND_DISK_2)
    text = debug_string(mapped(Persist(base, StorageLevel.DISK_ONLY)), splitter)
    assert "[kept: Disk Memory Serialized 2x Replicated]" in text.splitlines()[1]
    assert "Persist" not in text, "the level that holds is the session's"


def test_every_side_begins_on_a_line_with_its_width() -> None:
    plan = Union((mapped(source(2)), source(3)))
    assert words(debug_string(plan, Splitter())) == [
        "(5) Union of 2",
        " +-(2) Map",
        " |   |  Source",
        " +-(3) Source",
    ]


def test_what_was_shown_is_not_shown_twice() -> None:
    wide = shuffled(mapped(source(2)))
    text = debug_string(zipped(mapped(wide), wide), Splitter())
    assert text.count("Exchange") == 2
    assert text.count("(see above)") == 1
    assert text.count("Map") == 2


def test_a_checkpoint_is_shown_in_the_place_of_its_lineage() -> None:
    splitter = Splitter()
    base = mapped(shuffled(source(2)))
    splitter.cuts[base.id] = source(2)
    assert words(debug_string(mapped(base), splitter)) == ["(2) Map", " |  Source"]


def test_an_op_is_called_as_the_user_called_it() -> None:
    plan = Narrow(source(1), MapPartitions(must_not_run, "zipWithIndex"))
    assert debug_string(plan, Splitter()).startswith("(1) zipWithIndex ")


def test_five_thousand_steps_are_drawn() -> None:
    plan: Node = source(1)
    for _ in range(5_000):
        plan = mapped(plan)
    assert len(debug_string(plan, Splitter()).splitlines()) == 5_001


def test_drawing_computes_nothing_and_splits_nothing() -> None:
    splitter = Splitter()
    debug_string(mapped(shuffled(source(1))), splitter)
    assert not splitter.stages


# ---- call sites ----------------------------------------------------------------------------------


def engine_function(name: str, body: str, **known: Any) -> Callable[..., Site]:
    """A function that lives in a file of the engine."""
    package = Path(planner.site.__file__).parent.parent / "minispark" / "made_up.py"
    code = compile(f"def {name}(*args):\n    return {body}\n", str(package), "exec")
    scope = {"call_site": call_site, **known}
    exec(code, scope)
    made: Callable[..., Site] = scope[name]
    return made


def test_the_site_is_the_users_line_and_the_method_it_called() -> None:
    inner = engine_function("_helper", "call_site()")
    collect = engine_function("collect", "_helper()", _helper=inner)
    line = sys._getframe().f_lineno + 1
    site = collect()
    assert site == Site("collect", __file__, line)
    assert str(site) == f"collect at test_plan_picture.py:{line}"


def test_the_name_may_be_given() -> None:
    collect = engine_function("_run", "call_site('sortBy')")
    assert collect().method == "sortBy"


def test_a_users_function_between_two_of_the_engines_is_the_site() -> None:
    """A user's callback that calls the API again: the nearest line of the user counts."""
    inner = engine_function("count", "call_site()")

    def callback() -> Site:
        return inner()

    outer = engine_function("foreach", "args[0]()")
    assert outer(callback).method == "count"
    assert outer(callback).line == callback.__code__.co_firstlineno + 1


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("/home/me/job.py", "job.py"),
        ("/tmp/ipykernel_812/3871.py", "<notebook cell>"),
        ("<ipython-input-3-abc>", "<notebook cell>"),
        ("<stdin>", "<stdin>"),
        ("", ""),
    ],
)
def test_files_are_called_as_users_call_them(file: str, shown: str) -> None:
    assert short_file(file) == shown


def test_files_of_the_engine_are_known() -> None:
    assert is_engine_file(planner.site.__file__)
    assert not is_engine_file(__file__)
    assert str(NOWHERE) == "internal at :0"
