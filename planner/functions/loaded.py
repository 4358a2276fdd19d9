"""Importing this fills the table of functions: every module of the folder that has entries."""

from __future__ import annotations

from planner.functions import aggregates, arithmetic, logic

MODULES = (aggregates, arithmetic, logic)
