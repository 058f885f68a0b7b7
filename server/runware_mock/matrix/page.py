"""The matrix as one HTML page, with the journal of each bad cell and a test or command that repeats it."""

import ast
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent, indent

from jinja2 import Environment, StrictUndefined

from runware_mock.matrix.cells import BAD
from runware_mock.matrix.report import Judged, Subject, explanation, new_lines, summary


def page(subjects: Sequence[Subject], accepted: Sequence[str], noun: str = "test") -> str:
    """Write the page; it needs no other file."""
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    bad = [(line, subject, judged) for subject in subjects for line, judged in subject.bad()]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        summary=summary(subjects, accepted, noun),
        subjects=[(subject, _rows(subject)) for subject in subjects],
        bad=[(line, explanation(subject, judged), judged, repeated(subject, judged)) for line, subject, judged in bad],
        new=new_lines(subjects, accepted),
        is_bad=BAD.__contains__,
    )


def repeated(subject: Subject, judged: Judged) -> str:
    """Return a test with the fault of a cell, which fails as long as the cell is bad; for a command, a command."""
    (fault,) = judged.cell.faults()
    if not subject.source:
        line = " ".join([fault.pop("kind"), *(f"{name}={value}" for name, value in fault.items())])
        return f"runware-mock exec --faults {shlex.quote(line)} -- {subject.name}"
    source = dedent(subject.source)
    function = ast.parse(source).body[0]
    if judged.cell.kind == "refuse_upgrade" or not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        # This kind happens before the account is known.
        return f"pytest {shlex.quote(subject.name)} --runware-mock-matrix={judged.cell.kind}"
    name = f"{function.name}_with_{judged.cell.kind}_{judged.cell.position}"
    arguments = [one.arg for one in function.args.args]
    given = arguments if "runware_mock" in arguments else [*arguments, "runware_mock"]
    head = re.compile(rf"\bdef {function.name}\(.*?\)(?= *(->.*)?:)", re.DOTALL)
    checks = indent("\n".join(_checks(subject, judged)), " " * function.body[0].col_offset)
    body = head.sub(f"def {name}({', '.join(given)})", source, count=1).rstrip()
    return f"import pytest\n\n\n@pytest.mark.runware_mock_faults({fault!r})\n{body}\n{checks}".rstrip() + "\n"


def _checks(subject: Subject, judged: Judged) -> list[str]:
    """Return the lines that assert that the test's tasks succeed as often as without the fault."""
    before, after = subject.plain.done, judged.run.done
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if judged.verdict not in ("lost", "doubled") or not changed:
        return []
    counts = [f"assert done.count({name!r}) == {before.get(name, [0])[0]}" for name in changed]
    return ["done = [task.task_type for task in runware_mock.tasks if task.outcome == 'success']", *counts]


def _rows(subject: Subject) -> dict[str, list[tuple[str, str]]]:
    """Return, for each kind, the verdict at each position, with the line that accepts it if it is bad."""
    lines = {judged.cell: line for line, judged in subject.bad()}
    rows: dict[str, list[tuple[str, str]]] = {}
    for cell, verdict, _ in subject.cells:
        rows.setdefault(str(cell.kind), []).append((verdict, lines.get(cell, "")))
    return rows
