"""Yardsticks: the API against PySpark's documentation, speed, memory and recovery."""
