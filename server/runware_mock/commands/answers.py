"""The commands for scripted answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from runware_mock.answer_models import RuleState
from runware_mock.client import ControlError
from runware_mock.commands.base import EXIT_USAGE, Call, Printed, control_command, fail, one_line
from runware_mock.commands.faults import add_common_commands, field_of
from runware_mock.rule_files import BadRules, read_rules, with_pictures

_GIVEN = ("picture", "text", "fields", "error", "lifecycle", "times")


@click.group()
def answers() -> None:
    """Script what tasks are answered with."""


add_common_commands(answers, "answers", "rule")


@control_command("add", answers)
@click.argument("source")
@click.argument("fields", metavar="[FIELD=VALUE]...", nargs=-1)
@click.option("--name", help="Name of the rule. Default: a new one.")
@click.option("--must-be-used", is_flag=True, default=None, help="Whether `faults verify` fails if it is not used.")
def add(call: Call, source: str, fields: tuple[str, ...], **options: Any) -> Any:
    """Add a rule.

    SOURCE is a task type, or - for all, followed by what a rule asks for and gives:

    runware-mock answers add imageInference 'prompt=*cat*' picture=cat.png times=2

    Or it is a file of rules (its name ends in .json, .yaml or .yml), or a folder of these.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if Path(source).suffix.lower() in (".json", ".yaml", ".yml") or Path(source).is_dir():
        if fields:
            fail(f"{fields[0]!r} can only follow a task type, not a file", EXIT_USAGE)
        added = _add_all(call, Path(source), given)
        return added[0] if len(added) == 1 else Printed("\n".join(one.name for one in added), None)
    values = dict(map(field_of, fields))
    step = {name: values.pop(name) for name in _GIVEN if name in values}
    asked = values if source == "-" else {"task_type": source, **values}
    try:
        rule = with_pictures({**asked, **given, "give": step}, Path())
    except BadRules as error:
        fail(str(error).removeprefix("give[0]."), EXIT_USAGE)
    return call.control.answers.add(rule)


def _add_all(call: Call, path: Path, given: Mapping[str, Any]) -> list[RuleState]:
    """Add the rules of a file or folder, or none of them if one is refused."""
    try:
        rules = read_rules(path)
    except BadRules as error:
        fail(str(error), EXIT_USAGE)
    added: list[RuleState] = []
    for where, rule in rules:
        try:
            added.append(call.control.answers.add({**rule, **given}))
        except ControlError as error:
            for one in added:
                call.control.answers.delete(one.name)
            fail(f"{where}: {one_line(error, call.api_key, call.token)}")
    return added


@answers.command("schema")
def schema() -> None:
    """Print the JSON schema of a rule, for editors."""
    from runware_mock.control.answers import Rule

    click.echo(json.dumps(Rule.model_json_schema(), indent=2))
