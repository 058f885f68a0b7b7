"""The control API of a running server as Python methods.

    control = ControlClient("http://127.0.0.1:8080", api_key="a-key-for-tests-0123456789abcdef")
    control.clock.advance(days=31)
    assert control.media.list() == []

Methods return the models of `runware_mock.control_models`; every refusal is a ControlError, which names the field.
Nothing has to be closed, and threads may share a client.
"""

from runware_mock.client.control import ControlClient, Fault
from runware_mock.client.wire import ControlError

__all__ = ["ControlClient", "ControlError", "Fault"]
