"""SQL text: sqlglot parses, the modules here make requests of it. sqlglot loads on first use."""
