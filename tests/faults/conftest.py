"""Fixtures: control calls for the test's own account."""

from tests.control.conftest import control

__all__ = ["control"]
