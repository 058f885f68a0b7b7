"""Alembic's script folder, shipped as `runware_mock.migrations`."""
