"""Rules that make a logical plan another one with the same answer that costs less."""
