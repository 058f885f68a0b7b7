"""Faults of connections: refused, broken, closed, fallen silent."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Literal

from msgspec.structs import replace
from pydantic import Field, field_validator

from runware_mock.faults.event import Point, Transport
from runware_mock.faults.fault import WS_ONLY, Delay, Fault
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.response_plan import HttpAnswer, ResponsePlan


class _HangUp(Fault):
    after_work: bool = False

    @property
    def works(self) -> bool:
        """Whether the task is done nevertheless."""
        return self.after_work


class Reset(_HangUp):
    """The connection is reset."""

    kind: Literal["reset"]

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Break the connection."""
        return replace(response_plan, hang_up="reset")


class Empty(_HangUp):
    """The connection ends without a byte of an answer."""

    kind: Literal["empty"]

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """End the connection."""
        return replace(response_plan, hang_up="empty")


class RefuseUpgrade(Fault):
    """No WebSocket is opened."""

    kind: Literal["refuse_upgrade"]
    status: int = Field(503, ge=400, le=599)

    point: ClassVar[Point] = "upgrade"
    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Answer with a status."""
        return replace(response_plan, answer=HttpAnswer(self.status, b"", "text/plain"))


class DelayAuthentication(Fault):
    """The answer to the authentication comes late, by the real clock."""

    kind: Literal["delay_authentication"]
    delay: Delay = timedelta(seconds=5)

    point: ClassVar[Point] = "authentication"

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Wait."""
        return replace(response_plan, delay_s=response_plan.delay_s + self.delay.total_seconds())


class RefuseAuthentication(Fault):
    """The key is refused."""

    kind: Literal["refuse_authentication"]

    point: ClassVar[Point] = "authentication"

    def refusal(self, _task: Mapping[str, object]) -> Refusal:
        """Return the refusal of a bad key."""
        return refuse("invalidApiKey")


class NoPong(Fault):
    """A ping gets no pong."""

    kind: Literal["no_pong"]

    point: ClassVar[Point] = "ping"
    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Keep quiet."""
        return replace(response_plan, hang_up="drop")


class Silent(Fault):
    """From here on nothing is read or sent, and nobody is told: a half-open connection."""

    kind: Literal["silent"]

    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Fall silent."""
        return replace(response_plan, is_silent=True)


class Close(Fault):
    """The socket is closed when so many frames more have been sent, the reply being the first; 0 is instead of it."""

    kind: Literal["close"]
    code: int = Field(1011, ge=1000, le=4999)
    after_frames: int = Field(0, ge=0, le=1_000_000)

    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY

    @field_validator("code")
    @classmethod
    def _may_be_sent(cls, code: int) -> int:
        # RFC 6455, 7.4.1: 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame".
        if code in (1004, 1005, 1006, 1015) or 1015 < code < 3000:  # noqa: PLR2004 - codes of the RFC
            raise ValueError(f"{code} is never sent in a close frame")
        return code

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Close."""
        return replace(response_plan, close_code=self.code, close_after_frames=self.after_frames)


class Drop(Fault):
    """The work is done, but its reply is lost, and with it, unless told otherwise, the connection."""

    kind: Literal["drop"]
    hang_up: bool = True

    def performed(self, response_plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Send nothing."""
        return replace(response_plan, hang_up="reset" if self.hang_up else "drop")
