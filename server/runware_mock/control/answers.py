"""Scripted answers: rules that say what tasks are answered with. A rule is a plan whose faults are all answers."""

import logging
import secrets
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from runware_mock.answer_models import GivenState, Rules, RuleState
from runware_mock.control import plans
from runware_mock.control.calls import ControlRefused, changing, not_found
from runware_mock.control.field_errors import field_error, first_of
from runware_mock.control.given_pictures import read_pictures
from runware_mock.control_models import Deleted, PlanState
from runware_mock.faults import plans as stored_plans
from runware_mock.faults.base import Matching
from runware_mock.faults.plans import Plan, PlanExists, PlanName
from runware_mock.faults.scripted import AnswerFault, Scripted
from runware_mock.rule_files import BadRules, FoundRule, read_rules
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS, retried

_log = logging.getLogger(__name__)

_MOST_STEPS = 100
# Names of rules that have none; a slash would end a name in a path.
_UNNAMED = "file:"


class Step(Scripted):
    """One answer of a rule, and how often it is given."""

    times: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="How often; null for every time. Once by default, the last one every time.",
    )


class Rule(Matching):
    """What the matching tasks are answered with. Of several rules that match a task, the first made answers it."""

    name: PlanName | None = Field(None, description="A random name if left out.")
    give: Annotated[
        list[Step],
        BeforeValidator(
            lambda given: [given] if isinstance(given, dict) else given, json_schema_input_type=Step | list[Step]
        ),
    ] = Field(
        min_length=1, max_length=_MOST_STEPS, description="An answer, or a list of answers that are given in turn."
    )
    must_be_used: bool = Field(
        default=False, description="Whether a pytest test fails if an answer was not given as often as it says."
    )

    @model_validator(mode="after")
    def _counts_one_way(self) -> Self:
        if self.nth is not None and len(self.give) > 1:
            raise ValueError("nth: only one task is the n-th, so give only one answer")
        return self

    def plan(self) -> Plan:
        """Return the rule as a plan."""
        asked = {name: getattr(self, name) for name in Matching.model_fields}
        return Plan(
            name=self.name or f"rule-{secrets.token_hex(4)}",
            faults=[
                AnswerFault(
                    **asked,
                    **one.model_dump(exclude_unset=True, exclude={"times"}),
                    kind="answer",
                    times=self._times(position),
                )
                for position, one in enumerate(self.give)
            ],
            must_be_met=self.must_be_used,
        )

    def _times(self, position: int) -> int | None:
        one = self.give[position]
        if "times" in one.model_fields_set:
            return one.times
        return None if position == len(self.give) - 1 and self.nth is None else 1


def add_rule(services: Services, account_id: int, rule: Rule) -> RuleState:
    """Add a rule and return its state."""
    return _rule(plans.add_plan(services, account_id, rule.plan(), "give[{}]"))


def list_rules(services: Services, account_id: int) -> Rules:
    """Return the state of an account's rules, or of all rules."""
    return Rules(rules=tuple(_rule(one) for one in plans.list_plans(services, account_id).plans if _is_rule(one)))


def get_rule(services: Services, account_id: int, name: str) -> RuleState:
    """Return the state of one rule."""
    state = plans.get_plan(services, account_id, name)
    if not _is_rule(state):
        raise not_found(f"{name[:60]!r} is a fault plan, not a rule", "name")
    return _rule(state)


def delete_rules(services: Services, account_id: int, name: str | None = None) -> Deleted:
    """Delete one rule, or all of an account."""
    if name is not None:
        get_rule(services, account_id, name)
    return plans.delete_plans(services, account_id, name, only=_is_rule)


def load_rules(services: Services, path: Path | None) -> None:
    """Store the rules of a file or folder in place of those that an earlier start read from files.

    A rule also replaces what else has its name. All are checked before any is stored. Raises BadRules.
    """
    checked = [] if path is None else [(one.where, *_checked(services, one)) for one in read_rules(path)]
    with services.database.reading() as connection:
        if not checked and not stored_plans.names_of_file_rules(connection):
            return

    @retried
    def stored() -> None:
        with changing(services, ALL_ACCOUNTS) as connection:
            replaced = {str(plan.name) for _, plan, _ in checked}.union(stored_plans.names_of_file_rules(connection))
            stored_plans.remove(connection, ALL_ACCOUNTS, replaced)
            for where, plan, pictures in checked:
                real_at = services.clocks.real_at()
                try:
                    stored_plans.add(connection, ALL_ACCOUNTS, plan, real_at, pictures, is_of_file=True)
                except PlanExists as error:
                    raise BadRules(f"{where}: name: there is already a rule {error}") from None

    stored()
    wheres = {plan.name: where for where, plan, _ in checked}
    for rule in list_rules(services, ALL_ACCOUNTS).rules if wheres else ():
        for warning in rule.warnings if rule.account is None and rule.name in wheres else ():
            _log.warning("%s: %s", wheres[rule.name], warning)


def _is_rule(state: PlanState) -> bool:
    return all(one.kind == "answer" for one in state.faults)


def _rule(state: PlanState) -> RuleState:
    faults = [one.model_dump(mode="json") for one in state.faults]
    asked = {name: value for name, value in faults[0].items() if name in Matching.model_fields}
    given: list[dict[str, Any]] = [{name: one[name] for name in (*Step.model_fields, "remaining")} for one in faults]
    return RuleState(
        **asked,
        name=state.name,
        account=state.account,
        must_be_used=state.must_be_met,
        is_used=state.is_met,
        seen=state.faults[0].seen,
        give=tuple(GivenState(**step, used=one.met) for step, one in zip(given, state.faults, strict=True)),
        warnings=tuple(one.replace("faults[", "give[") for one in state.warnings),
        nearest=state.nearest,
    )


def _checked(services: Services, found: FoundRule) -> tuple[Plan, dict[int, str]]:
    try:
        rule = Rule.model_validate(found.rule)
        named = rule.model_copy(update={"name": rule.name or _UNNAMED + found.where.replace("/", ".")[-90:]})
        return read_pictures(services, ALL_ACCOUNTS, named.plan(), "give[{}]")
    except ControlRefused as refused:
        raise BadRules(f"{found.where}: {refused.sentence}") from None
    except ValidationError as error:
        wrong = field_error(first_of(error.errors()), Rule, whole="rule")
        raise BadRules(f"{found.where}: {wrong.sentence}") from None
