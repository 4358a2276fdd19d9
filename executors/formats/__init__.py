"""Files as partitions: how each kind of source is cut into parts, read and saved."""
