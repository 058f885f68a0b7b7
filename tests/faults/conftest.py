"""Fixtures: control calls for the test's own account, and pictures for the SDKs."""

from tests.control.conftest import control
from tests.sdks.conftest import gallery, pictures

__all__ = ["control", "gallery", "pictures"]
