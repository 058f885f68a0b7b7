"""Ping an event loop every 10 ms: `python -m bench.ping URL SECONDS`.

A process of its own, so that the load driver's work does not count. The kernel says when an answer came, so that this
process's wait for a core does not count either. Prints the latencies in milliseconds as a JSON array.
"""

import json
import socket
import struct
import sys
import time
from urllib.parse import urlsplit

EVERY_S = 0.010
# The cheapest request that every peer's event loop answers by itself.
PATH = "/health"
# asm-generic/socket.h; a message holds the time as two longs.
SO_TIMESTAMPNS = 35
TIMESTAMP = struct.Struct("@ll")


def ping(connection: socket.socket, request: bytes) -> float:
    """Send one request and read its answer; return when that came."""
    connection.sendall(request)
    received = b""
    while True:
        part, told, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(TIMESTAMP.size))
        came_s = time.time()
        for _, kind, data in told:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = TIMESTAMP.unpack(data)
                came_s = seconds + nanoseconds / 1e9
        if not part:
            raise ConnectionError(f"hung up after {received!r}")
        received += part
        # Every server answers this path with a small JSON object.
        if received.endswith(b"}"):
            break
    if not received.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"a ping was answered {received[:200]!r}")
    return came_s


def latencies_ms(url: str, seconds: float) -> list[float]:
    """Measure for some seconds."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or 80)
    request = f"GET {PATH} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    measured = []
    with socket.create_connection(address, timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        began_s = due_s = time.time()
        came_s = 0.0
        while due_s - began_s < seconds:
            time.sleep(max(0.0, due_s - time.time()))
            # A ping that had to wait for the answer to the one before it counts from when it was due, or a long stall
            # would be a single sample. Waking late is this process's delay, not the server's.
            stalled_s = max(0.0, came_s - due_s)
            sent_s = time.time()
            came_s = ping(connection, request)
            measured.append((stalled_s + came_s - sent_s) * 1000)
            due_s += EVERY_S
    return measured


if __name__ == "__main__":
    _, url, seconds = sys.argv
    sys.stdout.write(json.dumps(latencies_ms(url, float(seconds))))
