"""Running fragments of logical plans with Polars."""
