"""Settings: how they are set, read, checked, and what is warned of."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from minispark import settings
from minispark.conf import SparkConf, system_properties
from minispark.errors import PySparkRuntimeError
from minispark.settings import check, parse_count, parse_flag, parse_seconds, parse_size, value_of


def test_values_are_text_and_setters_chain() -> None:
    conf = SparkConf(False).setMaster("local").setAppName("a").set("spark.b", True)
    conf.setIfMissing("spark.b", 1).setIfMissing("spark.c", 1).setAll([("spark.d", 2.5)])
    conf.setExecutorEnv("A", "1").setExecutorEnv(pairs=[("B", "2"), ("C", "3")]).setSparkHome("/x")
    assert dict(conf.getAll()) == {
        "spark.master": "local",
        "spark.app.name": "a",
        "spark.b": "True",
        "spark.c": "1",
        "spark.d": "2.5",
        "spark.executorEnv.A": "1",
        "spark.executorEnv.B": "2",
        "spark.executorEnv.C": "3",
        "spark.home": "/x",
    }
    assert conf.toDebugString().splitlines() == sorted(f"{k}={v}" for k, v in conf.getAll())
    assert conf.get("spark.none") is None
    assert conf.get("spark.none", "x") == "x"
    assert conf.contains("spark.b")
    assert not conf.contains("spark.none")


def test_executor_env_takes_a_key_or_pairs() -> None:
    with pytest.raises(PySparkRuntimeError) as caught:
        SparkConf().setExecutorEnv("a", "b", [("c", "d")])
    assert caught.value.getCondition() == "KEY_VALUE_PAIR_REQUIRED"
    with pytest.raises(PySparkRuntimeError):
        SparkConf().setExecutorEnv()


def test_defaults_come_from_system_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(system_properties, "spark.local.dir", "/x")
    monkeypatch.setitem(system_properties, "other.key", "y")
    assert SparkConf().getAll() == [("spark.local.dir", "/x")]
    assert SparkConf(loadDefaults=False).getAll() == []


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("512", 512), ("1k", 1024), ("64KB", 65536), ("1.5g", 3 << 29), ("2TiB", 2 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "g", "-1", "6x", "1 2", "1gg"])
def test_what_is_not_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_other_values() -> None:
    assert [parse_seconds(text) for text in ("5", "50ms", "2min", "1h", "1.5s")] == [
        5.0,
        0.05,
        120.0,
        3600.0,
        1.5,
    ]
    assert parse_flag(" TRUE ")
    assert parse_count("3") == 3
    for parse, text in ((parse_seconds, "5 apples"), (parse_flag, "yes"), (parse_count, "0")):
        with pytest.raises(ValueError, match=text):
            parse(text)


def test_a_bad_value_names_its_key() -> None:
    with pytest.raises(ValueError, match=r"spark\.executor\.memory: 'lots' is not a size"):
        check({"spark.executor.memory": "lots"})
    with pytest.raises(ValueError, match=r"spark\.default\.parallelism: '-1'"):
        value_of({"spark.default.parallelism": "-1"}, "spark.default.parallelism")


def test_unknown_spark_keys_warn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_told", set())
    conf = {"spark.ui.port": "1", "spark.master": "local", "program.key": "x"}
    with pytest.warns(UserWarning, match=r"no effect in minispark: spark\.ui\.port$"):
        check(conf)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(conf)


def test_an_unknown_key_of_ours_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"unknown setting 'minispark\.nonsense'; known are"):
        check({"minispark.nonsense": "1"})


def test_every_setting_has_a_meaning_and_a_default_that_can_be_read() -> None:
    for setting in settings.SETTINGS:
        assert setting.meaning.endswith(".")
        assert settings.is_known(setting.key)
        value_of({}, setting.key)


def test_importing_is_quick_and_light() -> None:
    code = (
        "import sys, minispark\n"
        "from minispark import SparkContext, SparkConf\n"
        "heavy = {'numpy', 'pyarrow', 'ray', 'pandas', 'cloudpickle'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["planner", "executors"])
def test_another_module_of_our_names_is_one_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import minispark"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ImportError: minispark needs its own package '{name}', but")
    assert str(tmp_path) in last


def test_names_are_pysparks() -> None:
    import minispark

    for name in minispark.__all__:
        assert getattr(minispark, name) is not None
    assert minispark.RDD is minispark.Dataset
    for module in ("rdd", "conf", "sql", "resource", "errors", "core", "files", "status"):
        assert getattr(minispark, module).__name__ == f"minispark.{module}"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = minispark.nonsense
