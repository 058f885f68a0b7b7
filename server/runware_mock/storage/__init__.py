"""The database: tables, engine and one module a kind of row."""
