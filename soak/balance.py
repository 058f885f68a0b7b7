"""A balance: a table of what was asked and what came of it, and whether it holds."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

_HELD, _NOT_HELD = "holds", "DOES NOT HOLD"


@dataclass(frozen=True)
class Line:
    """One line; `is_held` is None where there is nothing to hold, `wrong` names the first offenders."""

    what: str
    figure: str
    is_held: bool | None = None
    wrong: Sequence[object] = ()

    @property
    def verdict(self) -> str:
        """Say whether it holds."""
        return "" if self.is_held is None else (_HELD if self.is_held else _NOT_HELD)


@dataclass
class Balance:
    """Lines under a title."""

    title: str
    about: str
    lines: list[Line] = field(default_factory=list)

    def tell(self, what: str, figure: object) -> None:
        """Add a figure that is only told."""
        self.lines.append(Line(what, _written(figure)))

    def equal(self, what: str, found: int, expected: int) -> None:
        """Add two figures that have to be equal."""
        self.lines.append(Line(what, f"{found:,} of {expected:,}", found == expected))

    def none(self, what: str, wrong: Sequence[object], of: int | None = None) -> None:
        """Add what must not be."""
        figure = f"{len(wrong):,}" if of is None else f"{len(wrong):,} of {of:,}"
        self.lines.append(Line(what, figure, not wrong, list(wrong)[:5]))

    def hold(self, what: str, figure: object, is_held: bool) -> None:  # noqa: FBT001 - what the method is for
        """Add a figure with its verdict."""
        self.lines.append(Line(what, _written(figure), is_held))

    @property
    def is_held(self) -> bool:
        """Whether all of it holds."""
        return all(line.is_held is not False for line in self.lines)

    def show(self) -> None:
        """Print the table, and what is wrong."""
        table = Table("", "", "", title=self.title)
        for line in self.lines:
            table.add_row(line.what, line.figure, line.verdict)
        console = Console(width=150)
        console.print(table)
        for line in self.lines:
            for one in line.wrong:
                console.print(f"{line.what}: {one}", markup=False)

    def write(self, file: Path) -> None:
        """Write it as Markdown."""
        rows = [f"| {line.what} | {line.figure} | {line.verdict} |" for line in self.lines]
        python = f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
        text = [
            f"# {self.title}",
            "",
            self.about,
            "",
            f"Machine: {python}.",
            "",
            "| | | |",
            "|---|---:|---|",
            *rows,
            "",
        ]
        file.write_text("\n".join(text))


def _written(figure: object) -> str:
    return f"{figure:,}" if isinstance(figure, int) else str(figure)
