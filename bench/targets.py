"""What is promised: how the mock compares with its peers and with itself, and a few absolute bounds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A bound on a row's ratio: the mock's median over a peer's, or over its own at the plain workload of that name."""

    row: str
    peer: str
    bound: float
    at_least: bool = True

    def is_met(self, ratio: float) -> bool:
        """Tell whether a ratio is within the bound."""
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        """Write the bound as the table shows it."""
        return f"{'>=' if self.at_least else '<='} {self.bound:.4g}x"


@dataclass(frozen=True)
class Limit:
    """A bound on the mock's own median."""

    row: str
    bound: float
    at_least: bool = False

    def is_met(self, figure: float) -> bool:
        """Tell whether a figure is within the bound."""
        return figure >= self.bound if self.at_least else figure <= self.bound

    def __str__(self) -> str:
        """Write the bound as the table shows it."""
        return f"{'>=' if self.at_least else '<='} {self.bound:.4g}"


PNGS = ("PNG", "PNG with alpha", "PNG of a screen")
GIFS = ("GIF", "GIF over-size")

TARGETS = (
    *(Target(row, "naive", bound) for row, bound in (("tiny", 3), ("small", 4), ("photo", 1.5), ("GIF", 6))),
    *(Target(row, "naive", 1) for row in ("photo 100 MP", *PNGS, "WebP", "BMP", "GIF over-size")),
    Target("start", "naive", 450 / 410, at_least=False),
    *(Target(row, "node", bound) for row, bound in (("tiny", 2), ("small", 3), ("photo", 1.2), ("WebP", 1.3))),
    *(Target(row, "node", 1.1) for row in PNGS),
    *(Target(row, "node", 15) for row in GIFS),
    *(Target(row, "vips", bound) for row, bound in (("photo", 0.9), ("WebP", 0.7))),
    *(Target(row, "vips", 0.75) for row in PNGS),
    *(Target(row, "vips", 1) for row in ("tiny", "small", "photo 100 MP", *GIFS)),
    Target("photo again", "photo", 20),
    Target("PNG again", "PNG", 20),
    Target("tiny, 20 a request", "tiny", 1),
    *(Target(f"{row} by WebSocket", row, 1) for row in ("tiny", "small", "photo")),
    Target("start", "moto", 1, at_least=False),
    # Beside the bound in milliseconds below, which asks for a machine as quick as where it was set.
    Target("loop ping p99 under photos", "vips", 1, at_least=False),
)
LIMITS = (
    Limit("loop ping p99 under photos", 6),
    Limit("start", 400),
    Limit("runware-mock --help", 150),
    Limit("start inside a process", 100),
    *(Limit(f"{row} dB over LANCZOS", -0.3, at_least=True) for row in ("photo", *PNGS, "WebP", "BMP")),
)
