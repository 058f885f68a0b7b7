"""`runware-mock faults`."""

import sys
from typing import Any

import click

from runware_mock.commands.base import EXIT_USAGE, Call, Printed, fail, verb


@click.group()
def faults() -> None:
    """Plan what shall go wrong, and prove that it did."""


@verb("list", faults)
def list_plans(call: Call) -> Any:
    """List the plans."""
    return call.control.faults.list()


@verb("show", faults)
@click.argument("name")
def show(call: Call, name: str) -> Any:
    """Show one plan and how far it has come."""
    return call.control.faults.get(name)


@verb("add", faults)
@click.argument("source")
@click.argument("fields", metavar="[FIELD=VALUE]...", nargs=-1)
@click.option("--name", help="Name of the plan. Default: a new one.")
@click.option("--must-be-met/--may-be-unmet", default=None, help="Whether `verify` asks for it. Default: it does.")
@click.option("--by-name-only", is_flag=True, default=None, help="Only for clients whose key ends in +NAME.")
def add(call: Call, source: str, fields: tuple[str, ...], **options: Any) -> Any:
    """Add a plan.

    SOURCE is a file with its JSON (ending in .json, or a path with a slash), or - for standard input; or the kind of
    its only fault, whose fields follow:

    runware-mock faults add latency delay=2s task_type=imageUpload times=3 --name slow
    """
    given = {name: value for name, value in options.items() if value is not None}
    return call.control.faults.add({**_plan(source, fields), **given})


@verb("delete", faults)
@click.argument("name", required=False)
def delete(call: Call, name: str | None) -> Any:
    """Remove the plan NAME, or all plans."""
    deleted = call.control.faults.delete(name)
    return Printed(f"deleted {deleted} plans" if name is None else f"deleted {name}", {"deleted": deleted})


@verb("verify", faults)
def verify(call: Call) -> Any:
    """Exit 1 when a plan that must be met is not."""
    from runware_mock.commands.tables import fault

    unmet = call.control.faults.unmet()
    json = {"plans": [plan.json for plan in unmet]}
    if not unmet:
        return Printed("every plan is met", json)
    lines = [f"{plan.name}: {', '.join(map(fault, plan.faults))}" for plan in unmet]
    return Printed("\n".join(lines), json, f"not met: {', '.join(plan.name for plan in unmet)}")


def _plan(source: str, fields: tuple[str, ...]) -> dict[str, Any]:
    if source != "-" and "/" not in source and not source.endswith(".json"):
        return {"faults": [{"kind": source, **dict(map(_field, fields))}]}
    import json
    from pathlib import Path

    if fields:
        fail(f"fields such as {fields[0]!r} belong to a kind, not to a file", EXIT_USAGE)
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=_no_number)
    except (OSError, ValueError) as error:
        fail(f"cannot read a plan from {source}: {error}", EXIT_USAGE)
    if isinstance(document, dict) and "kind" not in document:
        return document
    return {"faults": document if isinstance(document, list) else [document]}


def _field(text: str) -> tuple[str, Any]:
    """Read `times=3` or `delay=2s`: what is JSON is read as such, all else is a string."""
    import json

    name, is_pair, value = text.partition("=")
    if not is_pair:
        fail(f"{text!r} is no FIELD=VALUE", EXIT_USAGE)
    try:
        return name, json.loads(value, parse_constant=_no_number)
    except ValueError:
        return name, value


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
