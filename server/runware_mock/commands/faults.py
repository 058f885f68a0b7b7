"""`runware-mock faults`."""

import json
import shlex
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from runware_mock.commands.base import EXIT_USAGE, Call, Printed, control_command, fail, fault, yes_option
from runware_mock.testing import counted


@click.group()
def faults() -> None:
    """Plan faults, and check that they happened."""


def add_common_commands(group: click.Group, kind: str, noun: str) -> None:
    """Add the commands that plans and rules have in common; `control.<kind>` has their calls."""

    def list_all(call: Call) -> Any:
        return getattr(call.control, kind).list()

    def show(call: Call, name: str) -> Any:
        return getattr(call.control, kind).get(name)

    def delete(call: Call, name: str | None, *, yes: bool) -> Any:
        if name is None:
            call.confirm(f"delete the {noun}s", yes=yes)
        deleted = getattr(call.control, kind).delete(name)
        text = f"deleted {counted(deleted, noun)} of {call.account}" if name is None else f"deleted {name}"
        return Printed(text, {"deleted": deleted})

    named, perhaps_named = click.argument("name"), click.argument("name", required=False)
    control_command("list", group, help=f"List the {noun}s.")(list_all)
    control_command("show", group, help=f"Show the {noun} NAME, and what it has done.")(named(show))
    control_command("delete", group, help=f"Delete the {noun} NAME, or all {noun}s.")(perhaps_named(yes_option(delete)))


add_common_commands(faults, "faults", "fault plan")


@control_command("add", faults)
@click.argument("source")
@click.argument("fields", metavar="[FIELD=VALUE]...", nargs=-1)
@click.option("--name", help="Name of the plan. Default: a new one.")
@click.option(
    "--must-be-met/--may-be-unmet", default=None, help="Whether `verify` fails if it is not met. Default: it does."
)
@click.option("--by-name-only", is_flag=True, default=None, help="Only for clients whose key ends in +NAME.")
def add(call: Call, source: str, fields: tuple[str, ...], **options: Any) -> Any:
    """Add a plan.

    SOURCE is the kind of a single fault, followed by its fields:

    runware-mock faults add latency delay=2s task_type=imageUpload times=3 --name slow

    Or it is a file that holds the plan as JSON (its name ends in .json or contains a slash), or - for standard input.
    """
    given = {name: value for name, value in options.items() if value is not None}
    return call.control.faults.add({**_plan(source, fields), **given})


@faults.command("kinds")
@click.argument("kind", required=False)
def list_kinds(kind: str | None) -> None:
    """List the kinds of faults. Each has its fields and an example. With KIND, show one, and what its fields mean."""
    from runware_mock.faults.kinds import KINDS, common_fields, example, meaning, own_fields

    if kind is not None and kind not in KINDS:
        near = get_close_matches(kind, KINDS, 1)
        meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(KINDS)}"
        fail(f"there is no fault kind {kind!r}; {meant}", EXIT_USAGE)
    for name in KINDS if kind is None else (kind,):
        fields = [f"{field} ({one.note})" if one.note else field for field, one in own_fields(name).items()]
        click.echo(f"{name}: {meaning(name)}")
        click.echo(f"  fields   {', '.join(fields) or 'none of its own'}")
        click.echo(f"  example  runware-mock faults add {example(name)}")
    if kind is not None:
        own = own_fields(kind)
        others = {field: one for field, one in common_fields().items() if field not in own}
        for title, described in (("Its own fields", own), ("Fields of every kind", others)):
            lines = [
                f"  {field}{f' ({one.note})' if one.note else ''}: {one.meaning}" for field, one in described.items()
            ]
            if lines:
                click.echo("\n".join([f"{title}:", *lines]))


@control_command("verify", faults)
def verify(call: Call) -> Any:
    """Check that plans were met. Exits with status 1 if one that must be met is not."""
    unmet = call.control.faults.unmet()
    if not unmet:
        return Printed("every plan is met", unmet)
    lines = [f"{plan.name}: {', '.join(map(fault, plan.faults))}" for plan in unmet]
    return Printed("\n".join(lines), unmet, f"not met: {', '.join(plan.name for plan in unmet)}")


def plan_of_line(line: str) -> dict[str, Any]:
    """Return the plan that one argument describes: a kind and its fields, or a file."""
    try:
        source, *fields = shlex.split(line) or [""]
    except ValueError as error:
        fail(f"cannot read the plan {line!r}: {error}", EXIT_USAGE)
    return _plan(source, tuple(fields))


def _plan(source: str, fields: tuple[str, ...]) -> dict[str, Any]:
    if source != "-" and "/" not in source and not source.endswith(".json"):
        return {"faults": [{"kind": source, **dict(map(field_of, fields))}]}
    if fields:
        fail(f"{fields[0]!r} can only follow the kind of a fault, not a file", EXIT_USAGE)
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=_refuse_constant)
    except (OSError, ValueError) as error:
        fail(f"cannot read a plan from {source}: {error}", EXIT_USAGE)
    if isinstance(document, dict) and "kind" not in document:
        return document
    return {"faults": document if isinstance(document, list) else [document]}


def field_of(text: str) -> tuple[str, Any]:
    """Read `times=3` or `delay=2s`: the value as JSON where it is JSON, otherwise as a string."""
    name, equals, value = text.partition("=")
    if not equals:
        fail(f"write FIELD=VALUE instead of {text!r}, for example delay=2s", EXIT_USAGE)
    try:
        return name, json.loads(value, parse_constant=_refuse_constant)
    except ValueError:
        return name, value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
