"""Fixtures of the SQL tests."""

from __future__ import annotations

import pytest
from tpch_tables import Tpch, made


@pytest.fixture(scope="session")
def tpch(tmp_path_factory: pytest.TempPathFactory) -> Tpch:
    """TPC-H at scale 0.01: `tpch.arrow(text)`, `tpch.plan(text)`, `tpch.expected(number)`."""
    return Tpch(made(str(tmp_path_factory.mktemp("tpch"))))
