"""The stand-in for inference: a gradient, or the seed picture tinted, labelled with what was asked for."""

import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from textwrap import wrap

from PIL.Image import Image, Resampling, blend, composite, linear_gradient, new, radial_gradient
from PIL.ImageDraw import Draw
from PIL.ImageFont import load_default
from PIL.ImageOps import colorize, fit

from runware_mock.images.standins.conversion import opaque

_MAX_REFERENCES = 8
_MIN_THUMBNAIL_PX = 20
# No more letters are ever shown, and measuring text takes time.
_MAX_LETTERS, _MAX_PROMPT_LINES = 600, 5
# The font's height: a share of the picture's shorter side, within limits.
_FONT_SHARE, _MIN_FONT_PX, _MAX_FONT_PX = 30, 10, 64
_LINE_HEIGHT = 1.35


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
    """Return an RGB picture of the given size, whose colours and label distinguish one task from another.

    A seed picture fills the size and takes on the colours by `strength`, 0 to 1; with a mask as well, only where the
    mask is white. `number` counts the results of one task from 1.
    """
    size = (width_px, height_px)
    digest = sha256("\0".join((prompt, model, str(seed), str(number))).encode("utf-8", "surrogatepass")).digest()
    details = [f"{width_px} x {height_px}", f"seed {seed}"]
    details += [f"result {number}"] if number > 1 else []
    details += [f"strength {strength:.2g}"] if seed_picture is not None else []
    details += [detail for detail in (model, negative_prompt and f"without {negative_prompt}") if detail]
    if seed_picture is None:
        original = picture = _gradient(size, digest)
    else:
        original = fit(opaque(seed_picture), size, Resampling.BICUBIC)
        picture = blend(original, _coloured(original.convert("L"), digest), max(0.0, min(1.0, strength)))
    _draw_references(picture, references)
    if seed_picture is None or mask is None:
        _draw_label(picture, prompt, details, (0, 0, *size))
        return picture
    white = fit(opaque(mask).convert("L"), size, Resampling.BILINEAR)
    left, top, right, bottom = white.getbbox() or (0, 0, 0, 0)
    # People paint round masks, whose corners would cut off a label.
    aside, down = (right - left) * 15 // 100, (bottom - top) * 15 // 100
    _draw_label(picture, prompt, details, (left + aside, top + down, right - aside, bottom - down))
    return composite(picture, original, white)


def _gradient(size: tuple[int, int], digest: bytes) -> Image:
    slope = linear_gradient("L").rotate(90 * (digest[3] % 4))
    return _coloured(blend(slope, radial_gradient("L"), digest[4] / 400).resize(size, Resampling.BICUBIC), digest)


def _coloured(grey: Image, digest: bytes) -> Image:
    """Return a grey picture in a deep, a light and a middle colour, up to a third of the colour circle apart."""
    hue, step = digest[0] / 256, (1 + digest[1] / 255) / 6
    step = step if digest[2] % 2 else -step
    # Halfway in hue, not in RGB, where grey lies halfway.
    return colorize(grey, _hsl(hue, 34), _hsl(hue + step, 74), _hsl(hue + step / 2, 54))


def _hsl(hue: float, lightness_percent: int) -> str:
    return f"hsl({360 * (hue % 1):.0f}, 60%, {lightness_percent}%)"


def _draw_references(picture: Image, references: Sequence[Image]) -> None:
    """Draw as many of the reference pictures as fit, in a row at the top."""
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


def _draw_label(picture: Image, prompt: str, details: Sequence[str], box: tuple[int, int, int, int]) -> None:
    """Draw the prompt and the details on a dark plate at the foot of `box`, as much as fits, in the RGB picture."""
    left, top, right, bottom = box
    font_px = max(_MIN_FONT_PX, min(_MAX_FONT_PX, min(picture.size) // _FONT_SHARE))
    line_px = int(font_px * _LINE_HEIGHT)
    margin_px = max(2, min(font_px, (right - left) // 24))
    width_px, room = right - left - 4 * margin_px, ((bottom - top) * 6 // 10 - 2 * margin_px) // line_px
    # The details come first when there is little room: they are short.
    below = _wrapped(" · ".join(details), font_px, width_px, room)
    lines = _wrapped(prompt, font_px, width_px, min(_MAX_PROMPT_LINES, room - len(below))) + below
    if not lines:
        return
    plate_top = bottom - 3 * margin_px - len(lines) * line_px
    plate = (left + margin_px, plate_top, right - margin_px, bottom - margin_px)
    picture.paste(blend(part := picture.crop(plate), new("RGB", part.size, (12, 16, 24)), 0.68), plate)
    draw, font = Draw(picture), load_default(font_px)
    for number, line in enumerate(lines):
        draw.text((left + 2 * margin_px, plate_top + margin_px + number * line_px), line, fill="white", font=font)


def _wrapped(text: str, font_px: int, width_px: int, max_lines: int) -> list[str]:
    """Break the text into lines no wider than `width_px`; what does not fit in `max_lines` ends in an ellipsis."""
    font, shown = load_default(font_px), _printable(text)
    for columns in range(int(width_px // font.getlength("i")) if max_lines > 0 else 0, 0, -1):
        lines = wrap(shown, columns, max_lines=max_lines, placeholder="…")
        if all(font.getlength(line) <= width_px for line in lines):
            return lines
    return []


def _printable(text: str) -> str:
    """Return the start of the text, without accents and characters that Pillow's own font cannot show."""
    letters = unicodedata.normalize("NFKD", text[:_MAX_LETTERS]).encode("latin-1", "ignore").decode("latin-1")
    return "".join(one if one.isprintable() else " " for one in letters[:_MAX_LETTERS])
