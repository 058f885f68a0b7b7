"""The reference of the Python names, made from their signatures and docstrings: `python -m tests.docs.reference`."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import runware_mock
from runware_mock.answer_calls import AnswerCalls, Script
from runware_mock.client import (
    ClockCalls,
    EntryFilter,
    FaultCalls,
    JournalCalls,
    MediaCalls,
    SnapshotCalls,
    WebhookCalls,
)

PAGE = Path(__file__).parents[2] / "docs/reference.md"
HEAD = """# Python reference

These are the names that `runware_mock` exports. `python -m tests.docs.reference` generates this page from their
docstrings. For examples, see [pytest](pytest.md), [the clock](clock.md), [faults](faults.md),
[answers](answers.md) and [the journal](journal.md).
"""
# What the attributes of ControlClient and RunwareMock can do.
GROUPS = {
    "answers": AnswerCalls,
    "answers.on()": Script,
    "clock": ClockCalls,
    "faults": FaultCalls,
    "journal": JournalCalls,
    "media": MediaCalls,
    "snapshots": SnapshotCalls,
    "webhooks": WebhookCalls,
}
# Types are shown without their modules, which are internal.
_MODULE = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z])")
_ATTRIBUTE = re.compile(r"^    (\w+): ", re.MULTILINE)


def reference() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name in sorted(runware_mock.__all__, key=str.lower):
        value = getattr(runware_mock, name)
        if inspect.isclass(value):
            parts += [f"## {name}\n", _described(name, value), *_methods(value)]
        elif callable(value):
            parts += [f"## {name}\n", _described(name, value)]
    for name, group in GROUPS.items():
        parts += [f"## `mock.{name}`\n", *_methods(group, f"mock.{name}.")]
    fields = "\n".join(f"- `{name}`" for name in EntryFilter.__annotations__)
    parts += ["## EntryFilter\n", f"The keywords with which `mock.journal` selects entries:\n\n{fields}\n"]
    return "\n".join(parts)


def _methods(owner: type, prefix: str = "") -> Iterator[str]:
    for name, value in vars(owner).items():
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            yield f"### `{prefix or owner.__name__ + '.'}{name}`\n"
            yield _described(prefix + name, value)


def _described(name: str, value: Any) -> str:
    shown = _ATTRIBUTE.sub(r"- `\1`: ", inspect.cleandoc(value.__doc__ or ""))
    if isinstance(value, property):
        return f"{shown}\n"
    signature = inspect.signature(value)
    parameters = [one for one in signature.parameters.values() if one.name != "self"]
    returned = inspect.Signature.empty if inspect.isclass(value) else signature.return_annotation
    written = _MODULE.sub("", str(signature.replace(parameters=parameters, return_annotation=returned)))
    for old, new in (
        ("'RunwareMock'", "RunwareMock"),
        ("'Script'", "Script"),
        (f"*{EntryFilter}", EntryFilter.__name__),
    ):
        written = written.replace(_MODULE.sub("", old), new)
    return f"```text\n{name}{written}\n```\n\n{shown}\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
