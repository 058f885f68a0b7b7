"""The few colours of a quantised picture."""

from msgspec import Struct
from PIL.Image import Image


class Colour(Struct, frozen=True):
    """A colour, its place in the palette, and how many pixels have it."""

    rgb: tuple[int, int, int]
    place: int
    count_px: int


def colours_of(few: Image, mask: Image | None = None) -> list[Colour]:
    """Return the colours that a picture in P really has, where the mask is white, the most frequent first."""
    values = few.getpalette() or []
    colours = [
        Colour((values[3 * place], values[3 * place + 1], values[3 * place + 2]), place, count)
        for place, count in enumerate(few.histogram(mask))
        if count
    ]
    return sorted(colours, key=lambda colour: (-colour.count_px, colour.place))
