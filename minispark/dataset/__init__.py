"""The partitioned dataset, one mixin a subject. Users import `Dataset` from `minispark`."""
