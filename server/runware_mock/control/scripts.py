"""The rules of `--answers`: read from files at the start, for all accounts."""

from pathlib import Path

from pydantic import ValidationError

from runware_mock.control.answers import Rule
from runware_mock.control.calls import ControlRefused, changing, dotted
from runware_mock.control.given_pictures import read_pictures
from runware_mock.faults import plans
from runware_mock.faults.plans import Plan, PlanExists
from runware_mock.rule_files import BadRules, FoundRule, read_rules
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS, retried

# Names of rules that have none; a slash would end a name in a path.
_UNNAMED = "file:"


def load(services: Services, path: Path) -> int:
    """Store the rules of a file or folder in place of what an earlier start stored; return how many.

    All are checked before any is stored. Raises BadRules.
    """
    checked = [(one.where, *_checked(services, one)) for one in read_rules(path)]

    @retried
    def stored() -> None:
        with changing(services, ALL_ACCOUNTS) as connection:
            names = {plan.name for _, plan, _ in checked}
            earlier = [one.name for one in plans.states(connection, ALL_ACCOUNTS)]
            plans.remove(connection, ALL_ACCOUNTS, [one for one in earlier if one in names or one.startswith(_UNNAMED)])
            for where, plan, pictures in checked:
                try:
                    plans.add(connection, ALL_ACCOUNTS, plan, services.clocks.real_at(), pictures)
                except PlanExists as error:
                    raise BadRules(f"{where}: name: there is already a rule {error}") from None

    stored()
    return len(checked)


def _checked(services: Services, found: FoundRule) -> tuple[Plan, dict[int, str]]:
    try:
        rule = Rule.model_validate(found.rule)
        named = rule.model_copy(update={"name": rule.name or _UNNAMED + found.where.replace("/", ".")[-90:]})
        return read_pictures(services, ALL_ACCOUNTS, named.plan(), "give[{}]")
    except ControlRefused as refused:
        raise BadRules(f"{found.where}: {refused.field}: {refused.message}") from None
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        raise BadRules(f"{found.where}: {dotted(first['loc']) or 'rule'}: {message}") from None
