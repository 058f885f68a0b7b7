"""uvicorn's protocols: no option lets a fault cut a connection, or lets open sockets finish when the server stops."""

from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# Where a scope has its asyncio transport, and the state that the lifespan yields an asyncio.Event.
TRANSPORT, STOPPING = "runware_mock.transport", "stopping"


class _Handing:
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)  # type: ignore[misc] # of the protocol beside it
        app: Any = self.app
        self.app: Any = lambda scope, receive, send: app({**scope, TRANSPORT: transport}, receive, send)


class HttpProtocol(_Handing, H11Protocol):
    """Hands the application its connection, and the moment at which the server stops."""

    def shutdown(self) -> None:
        """Say that the server stops."""
        self.app_state[STOPPING].set()
        super().shutdown()


class SocketProtocol(_Handing, WebSocketsSansIOProtocol):
    """The same; and the application closes its sockets itself, once it has delivered what still runs."""

    def data_received(self, data: bytes) -> None:
        """Answer a head that the library has refused, which uvicorn neither answers nor closes."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()) or b"HTTP/1.1 400 Bad Request\r\n\r\n")
            self.transport.close()

    def shutdown(self) -> None:
        """Say that the server stops."""
        self.app_state[STOPPING].set()
