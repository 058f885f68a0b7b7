"""An answer that is to come, for those who do not wait for it but are called back.

`concurrent.futures.Future` has a lock and a condition for those who wait: a twenty-fifth of a tiny upload.
"""

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, Generic, TypeVar

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class Promise(Generic[Answer]):
    """Kept once, unless it is cancelled before anybody began to; of a Future's methods it has what its users need.

    What two threads take from a list is taken by one of them, without a lock.
    """

    __slots__ = ("_answer", "_callbacks", "_is_settled", "_turn")

    def __init__(self) -> None:
        self._turn = [True]
        self._answer: tuple[Answer] | None = None
        self._is_settled = False
        self._callbacks: list[Callable[[Any], object]] = []

    def begin(self) -> bool:
        """Tell whether it is still to be kept; from now on it cannot be cancelled."""
        try:
            return self._turn.pop()
        except IndexError:
            return False

    def cancel(self) -> bool:
        """Let nobody keep it; tell whether that is not too late."""
        is_cancelled = self.begin()
        if is_cancelled:
            self._settle()
        return is_cancelled

    def keep(self, answer: Answer) -> None:
        """Call back those who wait for the answer."""
        self._answer = (answer,)
        self._settle()

    def done(self) -> bool:
        """Tell whether it was kept or cancelled."""
        return self._is_settled

    def result(self) -> Answer:
        """Return the answer of one that is done; raises CancelledError."""
        if self._answer is None:
            raise CancelledError
        return self._answer[0]

    def add_done_callback(self, callback: "Callable[[Promise[Answer]], object]") -> None:
        """Call with this promise when it is done, in whatever thread settles it; in this one if that has happened."""
        self._callbacks.append(callback)
        if self._is_settled:
            self._call_back()

    def _settle(self) -> None:
        self._is_settled = True
        self._call_back()

    def _call_back(self) -> None:
        while True:
            try:
                callback = self._callbacks.pop()
            except IndexError:
                return
            try:
                callback(self)
            except Exception:  # noqa: BLE001 - whatever it is, the others are to be called
                _log.exception("whoever waited for an answer could not take it")
