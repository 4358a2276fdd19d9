"""From logical plans to the six physical nodes."""
