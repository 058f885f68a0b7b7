"""A proxy that lets programs reach every host but those of the real service, and remembers what it refused."""

import asyncio
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

from runware_mock.leaks import is_real_service

# Programs differ in which of these they read, and in whether in capitals or not.
_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
# Not ::1, which some libraries take for a host and a port.
_LOOPBACK = "localhost,127.0.0.1"
_CHUNK_BYTES = 64 * 2**10
_DROPPED = (b"connection:", b"proxy-connection:", b"proxy-authorization:", b"keep-alive:")


class RefusingProxy:
    """Connections through the proxy; `refused` counts them by method and host."""

    def __init__(self, upstream: Mapping[str, SplitResult]) -> None:
        self.refused: Counter[str] = Counter()
        self._upstream = upstream
        self._address = ""
        self._stop: Callable[[], object] = lambda: None

    def environment(self, present: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that send a program's requests through the proxy."""
        direct = {
            name: f"{present[name]},{_LOOPBACK}" if present.get(name) else _LOOPBACK
            for name in ("NO_PROXY", "no_proxy")
        }
        # Node heeds the other variables only if told to.
        return {**dict.fromkeys(_NAMES, self._address), **direct, "NODE_USE_ENV_PROXY": "1"}

    def stop(self) -> None:
        """Stop serving. Any thread may call this."""
        self._stop()

    async def serve(self, started: threading.Event) -> None:
        """Serve on a free port until stopped."""
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_CHUNK_BYTES)
        self._address = "http://{}:{}".format(*server.sockets[0].getsockname())
        started.set()
        await stop.wait()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Whatever goes wrong between the two ends, both see a closed connection, as without a proxy.
            with suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):
                await self._forward(reader, writer)
        finally:
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, version = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        host = url.hostname or ""
        if is_real_service(host):
            self.refused[f"{method} {host}"] += 1
            text = (
                f"runware-mock exec refuses {host}, the real service: use RUNWARE_BASE_URL or RUNWARE_WS_URL\n".encode()
            )
            await _answer(writer, b"403 Forbidden", text)
            return
        upstream = self._upstream.get("https" if method == "CONNECT" else "http")
        try:
            if upstream is not None:
                is_secure = upstream.scheme == "https"
                there = await asyncio.open_connection(
                    upstream.hostname, upstream.port or (443 if is_secure else 80), ssl=is_secure or None
                )
                there[1].write(_authorized(head, upstream))
            else:
                there = await asyncio.open_connection(host, url.port or 80)
                if method == "CONNECT":
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    path = url._replace(scheme="", netloc="").geturl() or "/"
                    there[1].write(_direct(head, f"{method} {path} {version}".encode("latin-1")))
        except OSError as error:
            await _answer(writer, b"502 Bad Gateway", f"{host}: {error.strerror or error}\n".encode())
            return
        try:
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        finally:
            there[1].close()


async def _answer(writer: asyncio.StreamWriter, status: bytes, text: bytes) -> None:
    writer.write(
        b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
        % (status, len(text), text)
    )
    await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _direct(head: bytes, first: bytes) -> bytes:
    """Return the head of a request as the host itself gets it.

    The connection ends with it, as the next request may be for another host.
    """
    lines = [line for line in head.split(b"\r\n")[1:-2] if not line.lower().startswith(_DROPPED)]
    return b"\r\n".join((first, *lines, b"Connection: close", b"", b""))


def _authorized(head: bytes, upstream: SplitResult) -> bytes:
    if upstream.username is None:
        return head
    user = f"{unquote(upstream.username)}:{unquote(upstream.password or '')}"
    return head[:-2] + b"Proxy-Authorization: Basic " + b64encode(user.encode()) + b"\r\n\r\n"


@contextmanager
def refusing_proxy() -> Iterator[RefusingProxy]:
    """Run a proxy on a thread until the block ends. It uses the proxies of this process's environment.

    Raises:
        ValueError: One of these proxies does not speak HTTP.
    """
    upstream = {scheme: urlsplit(url) for scheme, url in getproxies().items() if scheme in ("http", "https", "all")}
    for url in upstream.values():
        if url.scheme not in ("http", "https"):
            raise ValueError(f"the leak guard cannot use the {url.scheme!r} proxy that the environment names")
    for scheme in ("http", "https"):
        if "all" in upstream:
            upstream.setdefault(scheme, upstream["all"])
    proxy, started = RefusingProxy(upstream), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.serve(started)), name="proxy", daemon=True)
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
