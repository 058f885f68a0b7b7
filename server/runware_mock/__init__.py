"""A local stand-in for the Runware upload API.

`with runware_mock.serve() as mock:` runs a server until the block ends.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from runware_mock.testing import RunwareMock as RunwareMock
    from runware_mock.testing import serve as serve
else:
    # Imported when first asked for: whoever only wants the version does not wait for a server.
    _homes = {"RunwareMock": "runware_mock.testing", "serve": "runware_mock.testing"}

    def __getattr__(name: str) -> object:
        if name not in _homes:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_homes[name]), name)
