"""The tables and their queries: one file per noun."""
