"""The migrations, oldest first. Those of a release are never changed: `tests/process/releases` has a database of each.

On SQLite, batch mode may make any table anew: foreign keys are checked when all migrations have run, not before.
"""
