"""A table of what was asked and what came of it, and whether it holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Report:
    """Lines of what was measured, with a verdict or only told; `failed` has what does not hold."""

    lines: list[tuple[str, str, str]] = field(default_factory=list)
    failed: dict[str, list[object]] = field(default_factory=dict)

    def tell(self, what: str, figure: object) -> None:
        """Add a figure that is only told."""
        self.lines.append((what, f"{figure:,}" if isinstance(figure, int) else str(figure), ""))

    def hold(self, what: str, figure: object, wrong: Sequence[object]) -> None:
        """Add a figure that holds if nothing is wrong with it."""
        self.lines.append((what, str(figure), "DOES NOT HOLD" if wrong else "holds"))
        if wrong:
            self.failed[what] = list(wrong)

    def none(self, what: str, wrong: Sequence[object], of: int | None = None) -> None:
        """Add what must not be."""
        self.hold(what, f"{len(wrong):,}" if of is None else f"{len(wrong):,} of {of:,}", wrong)

    def show(self) -> int:
        """Print the table and the first offenders; return the exit status."""
        widths = [max(map(len, column)) for column in zip(*self.lines, strict=True)]
        for cells in self.lines:
            print("  ".join(map(str.ljust, cells, widths)).rstrip())
        for what, wrong in self.failed.items():
            for one in wrong[:5]:
                print(f"{what}: {one}")
        return 1 if self.failed else 0
