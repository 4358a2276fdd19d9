"""Columns: their types, expressions over them and the table of functions."""
