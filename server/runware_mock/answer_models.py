"""What the control API answers about scripted answers; the rest of its models are in control_models.py."""

from typing import Any

from pydantic import ConfigDict

from runware_mock.control_models import Answer


class GivenState(Answer):
    """One answer of a rule, with the fields of its kind, and how often it was given."""

    model_config = ConfigDict(extra="allow")

    picture: str | None
    text: str | None
    fields: dict[str, Any]
    error: dict[str, Any] | None
    lifecycle: tuple[dict[str, Any], ...] = ()
    times: int | None
    used: int
    remaining: int | None


class RuleState(Answer):
    """A rule and how often it was used; `account` is null for a rule of all accounts, `seen` counts what fitted it.

    If no task has fitted a rule that must be used, `nearest` is the task that comes nearest, and what it lacks.
    """

    name: str
    account: int | None
    task_type: str | None
    task_uuid: str | None
    model: Any
    prompt: Any
    where: dict[str, Any]
    nth: int | None
    transport: str | None
    must_be_used: bool
    is_used: bool
    seen: int
    give: tuple[GivenState, ...]
    warnings: tuple[str, ...]
    nearest: str | None = None


class Rules(Answer):
    """Rules, in the order in which they were made, which is the order in which they are tried."""

    rules: tuple[RuleState, ...]
