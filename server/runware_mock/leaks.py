"""Notice and refuse whatever this process sends to the real service: look-ups of its name, and connections to it."""

import asyncio
import inspect
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

_REAL_SERVICE = "runware.ai"
# Audit event -> what it does, and which of its arguments is the host, or the address that begins with it.
_EVENTS = {
    "socket.getaddrinfo": ("looked up", 0),
    "socket.gethostbyname": ("looked up", 0),
    "socket.connect": ("connected to", 1),
    "socket.sendto": ("sent to", 1),
}
_NOT_THE_USERS = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), __file__.rpartition("leaks")[0])
_INSTALLED = ("site-packages", "dist-packages")


class Leak(NamedTuple):
    """Something that was on its way to the real service: what, and the line of code that began it."""

    action: str
    host: str
    line: str

    def __str__(self) -> str:
        """Return a sentence."""
        return f"{self.line} {self.action} {self.host}"


class LeakRefused(OSError):
    """The process may not reach the real service now."""


def is_real_service(host: str) -> bool:
    """Tell whether this is a host name of the real service."""
    return f".{host}".lower().rstrip(".").endswith(f".{_REAL_SERVICE}")


@contextmanager
def watching() -> Iterator[list[Leak]]:
    """Refuse to look up or reach the real service until the block ends; give the list of what was refused.

    The code that tried gets LeakRefused, as if there were no network.
    """
    if not _installed:
        # A hook stays for the life of the process: it is installed once, and does nothing while nobody watches.
        sys.addaudithook(_hook)
        _installed.append(True)
    leaks: list[Leak] = []
    _watchers.append(leaks)
    try:
        yield leaks
    finally:
        _watchers.remove(leaks)


_installed: list[bool] = []
_watchers: list[list[Leak]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watchers or event not in _EVENTS:
        return
    action, position = _EVENTS[event]
    host = arguments[position]
    if isinstance(host, tuple) and host:
        host = host[0]
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or not is_real_service(host):
        return
    leak = Leak(action, host, _line())
    for leaks in _watchers:
        leaks.append(leak)
    raise LeakRefused(f"runware_mock_guard does not let this test reach {host}, the real service")


def _line() -> str:
    """Return the line of the user's code that is running: in this thread, or awaiting the look-up in an event loop."""
    own = list(_frames(inspect.currentframe()))
    for frames in (own, *_awaiting()):
        if users := [frame for frame in frames if _is_users(frame)]:
            return _written(users[0])
    others = [frame for frame in own if not frame.f_code.co_filename.startswith(_NOT_THE_USERS)]
    return _written(others[0] if others else own[-1])


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_users(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return not (file.startswith(("<", *_NOT_THE_USERS)) or any(part in file for part in _INSTALLED))


def _written(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name},"


def _awaiting() -> Iterable[list[FrameType]]:
    """Return the frames of each task of a running loop, innermost first, those that await a look-up before others.

    Event loops look names up on a thread, where nobody can tell for which task.
    """
    chains = [list(_chain(task)) for loop in _loops() for task in asyncio.all_tasks(loop)]
    return sorted(chains, key=lambda frames: all(one.f_code.co_name != "getaddrinfo" for one in frames))


def _loops() -> Iterator[asyncio.AbstractEventLoop]:
    for frame in sys._current_frames().values():  # noqa: SLF001 - documented
        for one in _frames(frame):
            loop = one.f_locals.get("self")
            if one.f_code.co_name == "run_forever" and isinstance(loop, asyncio.AbstractEventLoop):
                yield loop


def _chain(task: "asyncio.Task[Any]") -> list[FrameType]:
    """Return the frames of a suspended task, innermost first."""
    frames: list[FrameType] = []
    coroutine: Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        frames.insert(0, frame)
        coroutine = coroutine.cr_await
    return frames
