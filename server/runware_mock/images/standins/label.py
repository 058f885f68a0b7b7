"""Text on pictures."""

import unicodedata
from collections.abc import Sequence
from textwrap import wrap

from PIL.Image import Image, blend, new
from PIL.ImageDraw import Draw
from PIL.ImageFont import FreeTypeFont, load_default

# More is never shown, and text costs time to measure.
_MAX_LETTERS = 600
_MAX_PROMPT_LINES = 5
_MIN_FONT_PX, _MAX_FONT_PX = 10, 72
# The font's height as a share of the picture's shorter side.
_FONT_SHARE = 27
# Common characters that Pillow's own font lacks.
_SUBSTITUTES = str.maketrans(
    "\N{MULTIPLICATION SIGN}\N{HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{BULLET}", "x----\N{MIDDLE DOT}"
)


def draw_label(picture: Image, prompt: str, details: Sequence[str], box: tuple[int, int, int, int]) -> None:
    """Draw the prompt and the details on a dark plate at the foot of `box`, as much as fits, in the RGB picture."""
    left, top, right, bottom = box
    font_px = max(_MIN_FONT_PX, min(_MAX_FONT_PX, min(picture.size) // _FONT_SHARE))
    margin_px = max(2, min(font_px, (right - left) // 24))
    width_px, height_px = right - left - 4 * margin_px, (bottom - top) * 6 // 10 - 2 * margin_px
    font, detail_font = _font(font_px), _font(max(_MIN_FONT_PX, font_px * 3 // 4))
    line_px, detail_line_px = int(font.size * 1.35), int(detail_font.size * 1.35)
    # The details come first when there is little room: they are short.
    below = _wrapped(" · ".join(details), detail_font, width_px, height_px // detail_line_px)
    above_px = height_px - len(below) * detail_line_px
    above = _wrapped(prompt, font, width_px, min(_MAX_PROMPT_LINES, above_px // line_px))
    if not (above or below):
        return
    plate_top = bottom - 3 * margin_px - len(above) * line_px - len(below) * detail_line_px
    plate = (left + margin_px, plate_top, right - margin_px, bottom - margin_px)
    picture.paste(blend(part := picture.crop(plate), new("RGB", part.size, (12, 16, 24)), 0.68), plate)
    draw, x, y = Draw(picture), left + 2 * margin_px, plate_top + margin_px
    for line in above:
        draw.text((x, y), line, fill="white", font=font)
        y += line_px
    for line in below:
        draw.text((x, y), line, fill=(214, 222, 232), font=detail_font)
        y += detail_line_px


def _font(size_px: int) -> FreeTypeFont:
    font = load_default(size_px)
    if not isinstance(font, FreeTypeFont):
        raise TypeError("Pillow was built without FreeType.")
    return font


def _wrapped(text: str, font: FreeTypeFont, width_px: int, max_lines: int) -> list[str]:
    """Break the text into lines no wider than `width_px`; what does not fit in `max_lines` ends in an ellipsis."""
    shown = _printable(text)
    narrowest_px = font.getlength("i")
    for columns in range(int(width_px // narrowest_px) if max_lines > 0 else 0, 0, -1):
        lines = wrap(shown, columns, max_lines=max_lines, placeholder="…")
        if all(font.getlength(line) <= width_px for line in lines):
            return lines
    return []


def _printable(text: str) -> str:
    """Return the beginning of the text without accents and control characters, which the font cannot show."""
    letters = unicodedata.normalize("NFKD", text[:_MAX_LETTERS].translate(_SUBSTITUTES))[:_MAX_LETTERS]
    # Categories M and C: accents that normalization has split off; control characters, formats and surrogates.
    return "".join(" " if one.isspace() else one for one in letters if one.isspace() or _category(one) not in "CM")


def _category(letter: str) -> str:
    return unicodedata.category(letter)[0]
