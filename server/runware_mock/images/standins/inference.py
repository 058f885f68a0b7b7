"""The stand-in for inference: a gradient, or the seed picture tinted, labelled with what was asked for."""

from collections.abc import Sequence
from colorsys import hls_to_rgb
from hashlib import sha256

from PIL.Image import Image, Resampling, blend, composite, new
from PIL.ImageDraw import Draw
from PIL.ImageFilter import GaussianBlur
from PIL.ImageOps import colorize, fit

from runware_mock.images.standins.label import Label, draw_label
from runware_mock.images.standins.modes import grey, opaque

_Colour = tuple[int, int, int]

# The gradient is painted this small and enlarged: it is smooth anyway.
_CANVAS_PX = 96
_MAX_REFERENCES = 8
_MIN_THUMBNAIL_PX = 20


def draw_inference(
    *,
    width_px: int,
    height_px: int,
    prompt: str,
    negative_prompt: str = "",
    model: str = "",
    seed: int,
    number: int = 1,
    seed_picture: Image | None = None,
    strength: float = 0.8,
    mask: Image | None = None,
    references: Sequence[Image] = (),
) -> Image:
    """Return an RGB picture of the given size, whose colours and label tell one task from another.

    With a seed picture, that picture fills the size and takes on the colours by `strength`, 0 to 1; with a mask as
    well, only where the mask is white. `number` counts the results of one task from 1.
    """
    size = (width_px, height_px)
    digest = sha256("\0".join((prompt, model, str(seed), str(number))).encode("utf-8", "surrogatepass")).digest()
    original = None if seed_picture is None else fit(opaque(seed_picture), size, Resampling.BICUBIC)
    picture = _gradient(size, digest) if original is None else _tinted(original, digest, strength)
    _draw_references(picture, references)
    white = None if original is None or mask is None else fit(grey(mask), size, Resampling.BILINEAR)
    label = Label(prompt, _details(size, seed, number, model, negative_prompt, strength if original else None))
    draw_label(picture, label, (0, 0, *size) if white is None else _middle(white))
    return picture if original is None or white is None else composite(picture, original, white)


def _middle(mask: Image) -> tuple[int, int, int, int]:
    """Return where a label shows whole if the mask's white is as round as people paint it."""
    left, top, right, bottom = mask.getbbox() or (0, 0, 0, 0)
    if (right - left, bottom - top) == mask.size:
        return left, top, right, bottom
    aside, down = (right - left) * 15 // 100, (bottom - top) * 15 // 100
    return left + aside, top + down, right - aside, bottom - down


def _details(
    size: tuple[int, int], seed: int, number: int, model: str, negative_prompt: str, strength: float | None
) -> list[str]:
    details = [f"{size[0]} x {size[1]}", f"seed {seed}"]
    if number > 1:
        details.append(f"result {number}")
    if strength is not None:
        details.append(f"strength {strength:.2g}")
    if model:
        details.append(model)
    if negative_prompt:
        details.append(f"without {negative_prompt}")
    return details


def _colours(digest: bytes) -> tuple[_Colour, _Colour, _Colour]:
    """Return a deep colour, one between, and a light one, a sixth to a third of the colour circle apart."""
    hue, step = digest[0] / 256, (1 + digest[1] / 255) / 6
    step = step if digest[2] % 2 else -step
    # Halfway in hue, not in RGB: there lies grey.
    return _rgb(hue, 0.34, 0.60), _rgb(hue + step / 2, 0.54, 0.55), _rgb(hue + step, 0.74, 0.80)


def _rgb(hue: float, lightness: float, saturation: float) -> _Colour:
    red, green, blue = hls_to_rgb(hue % 1, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _gradient(size: tuple[int, int], digest: bytes) -> Image:
    """Paint the colours from corner to corner, with soft discs of them in places that the hash tells."""
    deep, between, light = _colours(digest)
    small = (max(2, _CANVAS_PX * size[0] // max(size)), max(2, _CANVAS_PX * size[1] // max(size)))
    corners = [deep, between, between, light]
    turn = digest[5] % 4
    canvas = new("RGB", (2, 2))
    for place, corner in enumerate((0, 1, 3, 2)):
        canvas.putpixel((corner % 2, corner // 2), corners[(0, 1, 3, 2)[(place + turn) % 4]])
    # The box leaves out the outer halves of the four pixels, between which alone there is a gradient.
    canvas = canvas.resize(small, Resampling.BILINEAR, box=(0.5, 0.5, 1.5, 1.5))
    discs = new("L", small, 0)
    draw = Draw(discs)
    for place in range(6, 18, 3):
        x, y, radius = (
            digest[place] * small[0] // 255,
            digest[place + 1] * small[1] // 255,
            8 + digest[place + 2] // 12,
        )
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=70 + digest[place + 2] // 4)
    discs = discs.filter(GaussianBlur(5))
    canvas.paste(new("RGB", small, light if digest[18] % 2 else deep), mask=discs)
    return canvas.resize(size, Resampling.BICUBIC)


def _tinted(original: Image, digest: bytes, strength: float) -> Image:
    """Mix the picture with a print of itself in the colours."""
    deep, between, light = _colours(digest)
    return blend(original, colorize(original.convert("L"), deep, light, between), max(0.0, min(1.0, strength)))


def _draw_references(picture: Image, references: Sequence[Image]) -> None:
    """Put the reference pictures in a row at the top, as many as have room."""
    side_px = min(picture.size) // 7
    if side_px < _MIN_THUMBNAIL_PX:
        return
    gap_px = max(2, side_px // 8)
    room = (picture.width - gap_px) // (side_px + gap_px)
    draw = Draw(picture)
    for place, reference in enumerate(references[: min(room, _MAX_REFERENCES)]):
        left = gap_px + place * (side_px + gap_px)
        draw.rectangle((left - 2, gap_px - 2, left + side_px + 1, gap_px + side_px + 1), fill="white")
        picture.paste(fit(opaque(reference), (side_px, side_px), Resampling.BICUBIC), (left, gap_px))
