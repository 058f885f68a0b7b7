"""The stand-in for inference: a gradient, or the seed picture tinted, labelled with what was asked for."""

from collections.abc import Sequence
from colorsys import hls_to_rgb
from hashlib import sha256

from PIL.Image import Image, Resampling, blend, composite, linear_gradient, radial_gradient
from PIL.ImageDraw import Draw
from PIL.ImageOps import colorize, fit

from runware_mock.images.standins.conversion import opaque
from runware_mock.images.standins.label import draw_label

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

    A seed picture fills the size and takes on the colours by `strength`, 0 to 1; with a mask as well, only where the
    mask is white. `number` counts the results of one task from 1.
    """
    size = (width_px, height_px)
    digest = sha256("\0".join((prompt, model, str(seed), str(number))).encode("utf-8", "surrogatepass")).digest()
    details = [f"{width_px} x {height_px}", f"seed {seed}"]
    if number > 1:
        details.append(f"result {number}")
    if seed_picture is not None:
        details.append(f"strength {strength:.2g}")
    details += [detail for detail in (model, negative_prompt and f"without {negative_prompt}") if detail]
    if seed_picture is None:
        picture = _gradient(size, digest)
        _draw_references(picture, references)
        draw_label(picture, prompt, details, (0, 0, *size))
        return picture
    original = fit(opaque(seed_picture), size, Resampling.BICUBIC)
    picture = blend(original, _coloured(original.convert("L"), digest), max(0.0, min(1.0, strength)))
    _draw_references(picture, references)
    if mask is None:
        draw_label(picture, prompt, details, (0, 0, *size))
        return picture
    white = fit(opaque(mask).convert("L"), size, Resampling.BILINEAR)
    left, top, right, bottom = white.getbbox() or (0, 0, 0, 0)
    # People paint round masks, in whose corners a label would be cut off.
    aside, down = (right - left) * 15 // 100, (bottom - top) * 15 // 100
    draw_label(picture, prompt, details, (left + aside, top + down, right - aside, bottom - down))
    return composite(picture, original, white)


def _gradient(size: tuple[int, int], digest: bytes) -> Image:
    slope = linear_gradient("L").rotate(90 * (digest[3] % 4))
    return _coloured(blend(slope, radial_gradient("L"), digest[4] / 400).resize(size, Resampling.BICUBIC), digest)


def _coloured(grey: Image, digest: bytes) -> Image:
    """Print a grey picture in a deep colour, a light one, and one between, up to a third of the colour circle apart."""
    hue, step = digest[0] / 256, (1 + digest[1] / 255) / 6
    step = step if digest[2] % 2 else -step
    # Halfway in hue, not in RGB, where grey lies halfway.
    deep, light, between = _rgb(hue, 0.34), _rgb(hue + step, 0.74), _rgb(hue + step / 2, 0.54)
    return colorize(grey, deep, light, between)


def _rgb(hue: float, lightness: float) -> tuple[int, int, int]:
    red, green, blue = hls_to_rgb(hue % 1, lightness, 0.6)
    return round(red * 255), round(green * 255), round(blue * 255)


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
