"""Ports that nothing listens on."""

import random
import socket

# Below those that systems give to whoever asks for any, so that nobody else gets one between look and use.
_PORTS = range(20_000, 30_000)


def free_port() -> int:
    """Return a port that is free and stays so."""
    while True:
        port = random.choice(_PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
