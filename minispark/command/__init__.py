"""The `minispark` command: submit, shell, demo."""
