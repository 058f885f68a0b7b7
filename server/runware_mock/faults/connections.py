"""Faults of connections: refused, broken, closed, fallen silent."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal

from msgspec.structs import replace
from pydantic import Field, field_validator

from runware_mock.faults.base import WS_ONLY, Delay, DelayFault, Fault, InsteadFault, Point, RefuseFault, Transport
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.response_plan import ResponsePlan


class ResetFault(InsteadFault):
    """The connection is reset."""

    effect: ClassVar[Mapping[str, Any]] = {"hang_up": "reset"}
    kind: Literal["reset"]


class EmptyFault(InsteadFault):
    """The connection is closed without a byte of an answer."""

    effect: ClassVar[Mapping[str, Any]] = {"hang_up": "empty"}
    kind: Literal["empty"]


class RefuseUpgradeFault(RefuseFault):
    """The WebSocket upgrade is refused."""

    point: ClassVar[Point] = "upgrade"
    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY
    kind: Literal["refuse_upgrade"]


class DelayAuthenticationFault(DelayFault):
    """The answer to the authentication is delayed, by the real clock."""

    point: ClassVar[Point] = "authentication"
    kind: Literal["delay_authentication"]
    delay: Delay = Field(timedelta(seconds=5), description="How long the delay is, such as 500ms or 2s.")


class RefuseAuthenticationFault(Fault):
    """The API key is refused."""

    point: ClassVar[Point] = "authentication"
    kind: Literal["refuse_authentication"]

    def refusal(self, _task: Mapping[str, object]) -> Refusal:
        """Return the refusal of a wrong key."""
        return refuse("invalidApiKey")


class NoPongFault(Fault):
    """A ping gets no pong."""

    point: ClassVar[Point] = "ping"
    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY
    effect: ClassVar[Mapping[str, Any]] = {"hang_up": "drop"}
    kind: Literal["no_pong"]


class SilentFault(Fault):
    """The server stops reading and sending but does not close the socket: a half-open connection."""

    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY
    effect: ClassVar[Mapping[str, Any]] = {"is_silent": True}
    kind: Literal["silent"]


class CloseFault(Fault):
    """The socket is closed after `after_frames` more frames, the reply included; 0 closes it instead of the reply."""

    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY
    effect_of: ClassVar[Mapping[str, str]] = {"close_code": "code", "close_after_frames": "after_frames"}
    kind: Literal["close"]
    code: int = Field(1011, ge=1000, le=4999, description="Close code of the WebSocket.")
    after_frames: int = Field(0, ge=0, le=1_000_000, description="How many more frames are sent first.")

    @field_validator("code")
    @classmethod
    def _may_be_sent(cls, code: int) -> int:
        # RFC 6455, 7.4.1: 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame".
        if code in (1004, 1005, 1006, 1015) or 1015 < code < 3000:  # noqa: PLR2004 - codes of the RFC
            raise ValueError(f"{code} is never sent in a close frame")
        return code


class DropFault(Fault):
    """The task is done but its reply is lost, and so is the connection, unless `hang_up` is false."""

    kind: Literal["drop"]
    hang_up: bool = Field(default=True, description="Whether the connection is reset, too.")

    def add_to(self, plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Send nothing."""
        return replace(plan, hang_up="reset" if self.hang_up else "drop")
