"""Relational queries: logical plans, the optimiser, and how they become the six nodes."""
