"""The documentation: its examples are run, its tables are true, its statements have tests."""
