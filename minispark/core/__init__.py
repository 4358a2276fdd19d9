"""The names under which PySpark keeps its core classes."""
