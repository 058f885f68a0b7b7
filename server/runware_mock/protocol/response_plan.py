"""What a transport must do with a reply besides sending it; the core describes it, `api` does it."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace


class HttpAnswer(Struct, frozen=True):
    """A whole HTTP response that is sent instead of the replies."""

    status: int
    body: bytes
    content_type: str


class ResponsePlan(Struct, frozen=True):
    """Everything is off by default; shares are parts of the whole, 0 to 1."""

    delay_s: float = 0.0
    # REST: what replaces the envelope, and further headers.
    answer: HttpAnswer | None = None
    headers: tuple[tuple[str, str], ...] = ()
    # No answer at all: "reset" breaks the connection, "empty" ends it, "drop" leaves it silent.
    hang_up: Literal["reset", "empty", "drop"] | None = None
    kept_share: float | None = None
    # How many bytes of a body or frame pass before the connection ends, by a reset if `is_reset`.
    kept_bytes: int | None = None
    is_reset: bool = False
    bytes_per_s: int | None = None
    garbled_share: float | None = None
    # Decides which characters are garbled.
    seed: int = 0
    copies: int = 1
    is_split: bool = False
    # Sent after the next reply, over REST after all the others.
    is_held: bool = False
    close_code: int | None = None
    close_after_frames: int = 0
    is_silent: bool = False


NOTHING = ResponsePlan()


def retried_after(wait_s: int | None, response_plan: ResponsePlan | None) -> ResponsePlan | None:
    """Return the response plan, with a Retry-After header if there is a time to wait."""
    if wait_s is None:
        return response_plan
    told = response_plan or NOTHING
    return replace(told, headers=(*told.headers, ("Retry-After", str(wait_s))))


def combined(response_plans: Iterable[ResponsePlan | None]) -> ResponsePlan | None:
    """Return one plan for all replies of an HTTP response: the longest delay, and the first of everything else."""
    found = [one for one in response_plans if one is not None]
    if not found:
        return None
    result = found[0]
    for one in found[1:]:
        changed = {name: getattr(one, name) for name in _FIELDS if getattr(result, name) == getattr(NOTHING, name)}
        result = replace(result, **changed, delay_s=max(result.delay_s, one.delay_s))
    return result


_FIELDS = tuple(name for name in ResponsePlan.__struct_fields__ if name != "delay_s")
