"""Subclasses of uvicorn's protocols, since no option lets faults cut connections or open sockets finish at a stop."""

from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# The keys of the asyncio transport in a scope, and of an asyncio.Event in the state that the lifespan yields.
TRANSPORT, STOPPING = "runware_mock.transport", "stopping"


class _Handing:
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)  # type: ignore[misc] # of the protocol beside it
        app: Any = self.app
        self.app: Any = lambda scope, receive, send: app({**scope, TRANSPORT: transport}, receive, send)


class HttpProtocol(_Handing, H11Protocol):
    """Gives the application its connection, and tells it when the server stops."""

    def shutdown(self) -> None:
        """Tell the application that the server stops."""
        self.app_state[STOPPING].set()
        super().shutdown()


class SocketProtocol(_Handing, WebSocketsSansIOProtocol):
    """Does the same, but leaves closing sockets to the application, which delivers what still runs first."""

    def data_received(self, data: bytes) -> None:
        """Answer and close a connection whose head the library has refused; uvicorn does neither."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()) or b"HTTP/1.1 400 Bad Request\r\n\r\n")
            self.transport.close()

    def shutdown(self) -> None:
        """Tell the application that the server stops."""
        self.app_state[STOPPING].set()
