"""What functions and operators mean: one module a subject, one entry a function."""
