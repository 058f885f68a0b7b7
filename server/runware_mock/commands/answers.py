"""The commands for scripted answers."""

import json
from pathlib import Path
from typing import Any

import click

from runware_mock.commands.base import EXIT_USAGE, Call, Printed, control_command, fail, yes_option
from runware_mock.commands.faults import field_of
from runware_mock.rule_files import BadRules, read_rules, with_pictures

_GIVEN = ("picture", "text", "fields", "error", "lifecycle", "times")


@click.group()
def answers() -> None:
    """Script what tasks are answered with."""


@control_command("list", answers)
def list_rules(call: Call) -> Any:
    """List the rules."""
    return call.control.answers.list()


@control_command("show", answers)
@click.argument("name")
def show(call: Call, name: str) -> Any:
    """Show one rule and how often its answers were given."""
    return call.control.answers.get(name)


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
        try:
            rules = [found.rule for found in read_rules(Path(source))]
        except BadRules as error:
            fail(str(error), EXIT_USAGE)
        added = [call.control.answers.add({**rule, **given}) for rule in rules]
        return added[0] if len(added) == 1 else Printed("\n".join(one.name for one in added), None)
    values = dict(map(field_of, fields))
    step = {name: values.pop(name) for name in _GIVEN if name in values}
    asked = values if source == "-" else {"task_type": source, **values}
    return call.control.answers.add(with_pictures({**asked, **given, "give": step}, Path()))


@control_command("delete", answers)
@click.argument("name", required=False)
@yes_option
def delete(call: Call, name: str | None, *, yes: bool) -> Any:
    """Delete the rule NAME, or all rules."""
    if name is None:
        call.confirm("delete the rules", yes=yes)
    deleted = call.control.answers.delete(name)
    text = f"deleted {deleted} rules of {call.account}" if name is None else f"deleted {name}"
    return Printed(text, {"deleted": deleted})


@answers.command("schema")
def schema() -> None:
    """Print the JSON schema of a rule, for editors."""
    from runware_mock.control.answers import Rule

    click.echo(json.dumps(Rule.model_json_schema(), indent=2))
