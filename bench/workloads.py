"""The workloads: which pictures are uploaded, and in which way."""

from dataclasses import dataclass
from functools import cached_property

from bench.asking import Rest, Way, WebSocket
from bench.corpus import Picture, Source

SMALL_SIZES_PX = ((512, 512), (768, 512), (640, 960), (1024, 768))
TINY = (Picture("PNG", 16, 16),)
SMALL = tuple(Picture(kind, *size_px) for size_px in SMALL_SIZES_PX for kind in ("PNG", "JPEG", "WEBP"))
PHOTO = (Picture("JPEG", 4000, 3000), Picture("JPEG", 6000, 4000))
PNG = (Picture("PNG", 4000, 3000),)


@dataclass(frozen=True)
class Workload:
    """Pictures uploaded in turn over some connections at once."""

    name: str
    pictures: tuple[Picture, ...]
    connections: int = 4
    # A slot of slow uploads must be longer to hold enough of them.
    weight: float = 1.0
    way: Way = Rest()  # noqa: RUF009 - frozen

    @cached_property
    def sources(self) -> list[Source]:
        """The loaded pictures."""
        return [Source(picture) for picture in self.pictures]


# What every peer is asked for.
WORKLOADS = (
    Workload("tiny", TINY, connections=8),
    Workload("small", SMALL, connections=8),
    Workload("photo", PHOTO, weight=2.0),
    Workload("photo 100 MP", (Picture("JPEG", 10_000, 10_000),), connections=2),
    Workload("PNG", PNG, weight=2.0),
    Workload("PNG with alpha", (Picture("PNG", 4000, 3000, subject="cutout"),), weight=2.0),
    Workload("PNG of a screen", (Picture("PNG", 3840, 2160, subject="screen"),)),
    Workload("WebP", (Picture("WEBP", 4000, 3000),), weight=2.0),
    Workload("BMP", (Picture("BMP", 4000, 3000),)),
    Workload("GIF", (Picture("GIF", 600, 400, frames=40),)),
    Workload("GIF over-size", (Picture("GIF", 2560, 1600, frames=4),), connections=1),
)
# What only the mock is asked for, and compared with itself.
WAYS = (
    Workload("tiny, 20 a request", TINY, connections=8, way=Rest(tasks=20)),
    Workload("tiny by WebSocket", TINY, connections=8, way=WebSocket()),
    Workload("small by WebSocket", SMALL, connections=8, weight=2.0, way=WebSocket()),
    # Both ways are level: single slots of 4 s spread by 1.5 %, of 2 s by 1.8 %.
    Workload("photo by WebSocket", PHOTO, weight=4.0, way=WebSocket()),
    Workload("small by URL", SMALL, connections=8, way=Rest(by_url=True)),
    Workload("photo by URL", PHOTO, weight=2.0, way=Rest(by_url=True)),
    Workload("photo again", PHOTO, way=Rest(again=True)),
    Workload("PNG again", PNG, way=Rest(again=True)),
)
BY_NAME = {workload.name: workload for workload in (*WORKLOADS, *WAYS)}


def plain_of(way: Workload) -> Workload:
    """Return the workload whose pictures are uploaded in this way."""
    return next(plain for plain in WORKLOADS if plain.pictures is way.pictures)


# "RSS after ten 21 MB bodies": about 15.7 MB of picture, a third more as base64.
HEAVY = Workload("heavy", (Picture("JPEG", 6000, 4000, quality=99),), connections=1)
