"""Run by Alembic: migrates over the connection that `runware_mock.storage.migrations` hands in."""

from alembic import context

from runware_mock.storage.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter most things in place; batch mode copies the table instead.
    render_as_batch=True,
)
context.run_migrations()
