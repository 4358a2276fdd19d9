"""Pure decisions: plans, stages and the scheduler. No I/O, no threads, no clocks."""
