"""What a matrix found, for a person and for a machine, and which of it a project has accepted."""

import ast
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, NamedTuple, get_args

from jinja2 import Environment, StrictUndefined

from runware_mock.matrix.cells import BAD, Cell, Run, Verdict, is_the_same, verdict
from runware_mock.testing import counted
from runware_mock.values import parse_duration, write_duration
from runware_mock.version import __version__

_LONGEST_LIMIT = timedelta(hours=1)


class Judged(NamedTuple):
    """A cell and the verdict on it."""

    cell: Cell
    verdict: Verdict
    run: Run


@dataclass
class Subject:
    """A test, or a program: its first run without faults, its second one, and its cells.

    `excluded` says why it has no cells.
    """

    name: str
    plain: Run
    source: str = ""
    excluded: str = ""
    cells: list[Judged] = field(default_factory=list)

    def wanted(self) -> list[Cell]:
        """Return the cells to run: first one without a fault, then each kind at each of its positions, or none."""
        found = [Cell(kind, n) for kind, seen in self.plain.seen.items() for n in range(1, seen + 1)]
        if self.plain.outcome != "passed":
            self.excluded = f"fails without any fault: {self.plain.detail}"
        elif self.plain.own_plans:
            self.excluded = "plans faults of its own"
        elif not found:
            self.excluded = "sends no task that could meet these kinds of faults"
        return [] if self.excluded else [Cell(), *found]

    def judge(self, runs: Sequence[tuple[Cell, Run]]) -> None:
        """Judge what the cells have shown, unless the run without a fault went otherwise than before."""
        for cell, run in runs:
            if cell.kind is None and not is_the_same(self.plain, run):
                how = run.detail or run.outcome
                if run.outcome == "passed":
                    how = _difference(self.plain, run, "at first", "in a second run without faults")
                self.excluded = f"is flaky: {how}"
                return
        self.cells = [Judged(cell, verdict(self.plain, run), run) for cell, run in runs if cell.kind is not None]

    def bad(self) -> Iterator[tuple[str, Judged]]:
        """Yield the bad cells, each with the line that accepts it."""
        for judged in self.cells:
            if judged.verdict in BAD:
                yield f"{judged.verdict} {judged.cell.kind} {judged.cell.position} {self.name}", judged


def limit_in_s(span: str) -> float:
    """Return how many seconds later than before a run may end; raises ValueError."""
    limit = parse_duration(span)
    if not timedelta(0) < limit <= _LONGEST_LIMIT:
        raise ValueError(f"should be more than 0s and at most {write_duration(_LONGEST_LIMIT)}")
    return limit.total_seconds()


def read_accepted(file: Path | None) -> list[str]:
    """Return the lines of a file of accepted cells; raises ValueError that names the line, and OSError."""
    lines = [] if file is None else file.read_text(encoding="utf-8").splitlines()
    accepted = []
    for number, line in enumerate(lines, 1):
        words = line.split(maxsplit=3)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 4 or words[0] not in get_args(Verdict) or not words[2].isdecimal():  # noqa: PLR2004 - as shown
            raise ValueError(
                f"{file}, line {number}: should be VERDICT KIND POSITION TEST, such as 'lost drop 1 test_x.py::test_y'"
            )
        accepted.append(" ".join(words))
    return accepted


def new_lines(subjects: Iterable[Subject], accepted: Sequence[str]) -> list[str]:
    """Return the bad cells that nobody has accepted, as lines that would accept them."""
    return [line for subject in subjects for line, _ in subject.bad() if line not in accepted]


def text(subjects: Sequence[Subject], accepted: Sequence[str], noun: str = "test") -> str:
    """Write a table for each test or command, then every bad cell that is not accepted with what happened."""
    lines: list[str] = []
    for subject in subjects:
        lines.append(subject.name)
        if subject.excluded:
            lines.append(f"  {subject.excluded}")
        rows = _rows(subject)
        width = max(map(len, rows), default=0)
        lines += [f"  {kind:{width}}  {'  '.join(f'{one:8}' for one, _ in row).rstrip()}" for kind, row in rows.items()]
    new, every = set(new_lines(subjects, accepted)), []
    for subject in subjects:
        for line, judged in subject.bad():
            every.append(line)
            if line in new:
                lines.append(f"{line}\n  {explanation(subject, judged)}")
    lines += [f"accepted, but no longer found: {line}" for line in accepted if line not in every]
    return "\n".join([*lines, summary(subjects, accepted, noun)])


def explanation(subject: Subject, judged: Judged) -> str:
    """Say in one line what was wrong."""
    if judged.verdict in ("lost", "doubled"):
        return _difference(subject.plain, judged.run, "without the fault", "with it")
    return judged.run.detail


def summary(subjects: Sequence[Subject], accepted: Sequence[str], noun: str) -> str:
    """Return one line with how many cells there are of each verdict."""
    cells = [judged for subject in subjects for judged in subject.cells]
    counts = Counter(judged.verdict for judged in cells)
    found = ", ".join(f"{counts[one]} {one}" for one in get_args(Verdict) if counts[one]) or "none"
    bad = sum(1 for subject in subjects for _ in subject.bad())
    known = bad - len(new_lines(subjects, accepted))
    size = f"{counted(len(cells), 'cell')} of {counted(len(subjects), noun)}"
    return f"{size}: {found}{f' ({known} accepted)' if known else ''}"


def document(subjects: Sequence[Subject], accepted: Sequence[str]) -> str:
    """Write everything as JSON; the journal of a run only where the cell is bad."""
    new = new_lines(subjects, accepted)
    tests = [
        {
            "test": subject.name,
            "excluded": subject.excluded or None,
            "done": subject.plain.done,
            "cells": [_cell(subject, judged, new) for judged in subject.cells],
        }
        for subject in subjects
    ]
    return json.dumps({"version": __version__, "new": new, "tests": tests}, indent=2) + "\n"


def _cell(subject: Subject, judged: Judged, new: Sequence[str]) -> dict[str, Any]:
    cell, judgement, run = judged
    shown: dict[str, Any] = {"kind": cell.kind, "position": cell.position, "verdict": judgement, "detail": run.detail}
    if judgement in BAD:
        line = next(line for line, one in subject.bad() if one is judged)
        shown |= {"fault": cell.faults()[0], "accepted": line not in new, "done": run.done, "journal": run.journal}
    return shown


def _difference(plain: Run, run: Run, first: str, second: str) -> str:
    before, after = plain.done, run.done
    changes = [
        f"{name}: {_succeeded(before.get(name))} {first}, {_succeeded(after.get(name))} {second}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    return "; ".join(changes)


def _succeeded(counts: Sequence[int] | None) -> str:
    return "none succeeded" if counts is None else f"{counts[0]} succeeded ({counts[1]} different)"


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
    for cell, judgement, _ in subject.cells:
        rows.setdefault(str(cell.kind), []).append((judgement, lines.get(cell, "")))
    return rows
