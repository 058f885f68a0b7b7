"""Several processes that serve one socket: all begin, each is started again when it dies, and all end together.

They are forked, once everything is imported: that takes milliseconds, where a new interpreter takes a second.
"""

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

_log = logging.getLogger(__name__)

STOPS = (signal.SIGINT, signal.SIGTERM)
# A worker that cannot even begin is not started again as fast as the machine can.
_PAUSE_S = 1.0

# Serves until a signal ends it, and calls what it is handed when it is ready.
Serve = Callable[[Callable[[], None]], None]


@dataclass(frozen=True)
class _Worker:
    """A process, and the pipe by which it tells that it is ready."""

    process: ForkProcess
    ready: int


class Workers:
    """Runs `count` processes that `serve`; calls `on_ready` once, when all of them are ready for the first time.

    Make it where no thread runs and no connection is open: a fork takes neither along.
    """

    def __init__(self, count: int, serve: Serve, bound: socket.socket, on_ready: Callable[[], None]) -> None:
        self._count = count
        self._serve = serve
        self._bound = bound
        self._on_ready = on_ready
        self._workers: list[_Worker] = []
        self._not_ready: set[int] = set()
        self._is_stopping = False
        # Ends with this process, however that ends: then no worker is left behind.
        self._life = os.pipe()

    def run(self) -> int:
        """Serve until a signal comes; return the exit status."""
        gc.freeze()
        with self._woken_by_signals() as woken:
            for _ in range(self._count):
                self._start()
            is_announced = False
            while not self._is_stopping:
                ended = self._wait(woken)
                if not is_announced:
                    if ended:
                        return self._stop(1)
                    if not self._not_ready:
                        is_announced = True
                        self._on_ready()
                for worker in ended:
                    self._replace(worker, woken)
            return self._stop(0)

    def _wait(self, woken: socket.socket) -> list[_Worker]:
        """Wait for a signal, for a worker that is ready, or for one that has ended; return those."""
        sentinels = {worker.process.sentinel: worker for worker in self._workers}
        happened = set(wait([woken, *sentinels, *self._not_ready]))
        if woken in happened:
            woken.recv(64)
        for ready in self._not_ready & happened:
            # Whoever dies before that closes its end, too.
            if os.read(ready, 1):
                self._not_ready.discard(ready)
        return [worker for sentinel, worker in sentinels.items() if sentinel in happened]

    def _start(self) -> None:
        ready, tells_ready = os.pipe()
        process = multiprocessing.get_context("fork").Process(target=self._work, args=(tells_ready,))
        # A signal that comes before the new process can heed it waits for it.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        os.close(tells_ready)
        self._workers.append(_Worker(process, ready))
        self._not_ready.add(ready)

    def _replace(self, worker: _Worker, woken: socket.socket) -> None:
        self._forget(worker)
        if self._is_stopping:
            return
        _log.error("worker %d has ended with status %s; another is started", *_end_of(worker.process))
        if worker.ready in self._not_ready:
            wait([woken], _PAUSE_S)
        self._not_ready.discard(worker.ready)
        self._start()

    def _forget(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.process.join()
        os.close(worker.ready)

    def _stop(self, status: int) -> int:
        """Let nobody in any more, and let all finish what runs."""
        self._bound.close()
        for worker in self._workers:
            if worker.process.pid is not None and worker.process.is_alive():
                os.kill(worker.process.pid, signal.SIGTERM)
        for worker in self._workers:
            worker.process.join()
            status = status or abs(worker.process.exitcode or 0)
        return status

    @contextmanager
    def _woken_by_signals(self) -> Iterator[socket.socket]:
        woken, wakes = socket.socketpair()
        wakes.setblocking(False)  # noqa: FBT003 - its only parameter
        for number in STOPS:
            signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(wakes.fileno())
        with woken, wakes:
            yield woken
            signal.set_wakeup_fd(-1)

    def _on_signal(self, *_: object) -> None:
        self._is_stopping = True

    def _work(self, tells_ready: int) -> None:
        """Be a worker."""
        signal.set_wakeup_fd(-1)
        for number in STOPS:
            signal.signal(number, lambda *_: sys.exit(0))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        own_end, its_end = self._life
        os.close(its_end)
        threading.Thread(target=_end_with, args=(own_end,), daemon=True).start()
        self._serve(lambda: _tell(tells_ready))


def _tell(ready: int) -> None:
    os.write(ready, b"!")


def _end_with(life: int) -> None:
    """End this process when the one that started it has ended."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end_of(process: ForkProcess) -> tuple[int | None, str]:
    code = process.exitcode or 0
    return process.pid, str(code) if code >= 0 else signal.Signals(-code).name
