"""The head of an answer and its body leave together.

uvicorn writes one after the other, and each would be a packet: its reader is woken twice, and the first time may take
the core from us before the second is sent.
"""

from asyncio import Transport

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


class OnePacket(Transport):
    """What the answer to one request, whose `cycle` it is, needs of its connection's transport."""

    def __init__(self, transport: Transport, cycle: RequestResponseCycle) -> None:
        super().__init__()
        self._transport = transport
        self._cycle = cycle
        self._is_head_to_come = True
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a piece, but keep a head for its body."""
        if self._is_head_to_come and self._cycle.response_started:
            self._is_head_to_come = False
            # What has no length known beforehand may begin much later.
            if self._cycle.expected_content_length and self._cycle.scope["method"] != "HEAD":
                self._head = bytes(data)
                return
        self._transport.writelines([self._head, data] if self._head else [data])
        self._head = b""

    def is_closing(self) -> bool:
        """Tell whether the connection ends."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Send what is kept and end the connection."""
        if self._head:
            self.write(b"")
        self._transport.close()
