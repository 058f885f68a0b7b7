"""A local stand-in for the Runware upload API.

`with runware_mock.serve() as mock:` runs a server until the block ends. `ControlClient` controls a server that
is already running.
"""

from runware_mock.client import ControlClient, ControlError, Fault
from runware_mock.testing import RunwareMock, serve
from runware_mock.version import __version__

__all__ = ["ControlClient", "ControlError", "Fault", "RunwareMock", "__version__", "serve"]


def __dir__() -> list[str]:
    """Return the public names alone: the modules are found in the documentation."""
    return __all__
