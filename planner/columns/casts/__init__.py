"""How values of one type become values of another, by Spark's rules: one module a subject."""
