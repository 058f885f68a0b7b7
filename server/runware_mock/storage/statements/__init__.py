"""What a database is asked, in SQLAlchemy's words; a table says by what name each is known to `Prepared`.

Whatever every server needs is compiled for SQLite beforehand: these modules are imported for PostgreSQL, for control
calls, and by `make statements`.
"""
