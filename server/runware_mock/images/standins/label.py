"""Text on pictures: lines that fit a plate, which fits the picture."""

import unicodedata
from collections.abc import Iterable, Sequence

from msgspec import Struct
from PIL.Image import Image, blend, new
from PIL.ImageDraw import Draw
from PIL.ImageFont import FreeTypeFont, load_default

# A plate never shows more than this, and text costs time to measure.
_MAX_LETTERS = 1200
_MAX_PROMPT_LINES = 5
_MIN_FONT_PX, _MAX_FONT_PX = 10, 72
# The font's height as a share of the picture's shorter side.
_FONT_SHARE = 27
# What Pillow's own font lacks and what stands in for it.
_SUBSTITUTES = {
    ord("\N{MULTIPLICATION SIGN}"): "x",
    ord("\N{DIVISION SIGN}"): "/",
    ord("\N{HYPHEN}"): "-",
    ord("\N{NON-BREAKING HYPHEN}"): "-",
    ord("\N{EN DASH}"): "-",
    ord("\N{EM DASH}"): "-",
    ord("\N{MINUS SIGN}"): "-",
    ord("\N{BULLET}"): "·",
    ord("\N{DOUBLE LOW-9 QUOTATION MARK}"): "“",
    ord("\N{LATIN SMALL LETTER SHARP S}"): "ss",
}
_JOINT = " · "


class Label(Struct, frozen=True):
    """What a plate tells: a text that is wrapped, and details that stay whole as far as they can."""

    text: str
    details: Sequence[str]


class _Line(Struct, frozen=True):
    text: str
    font: FreeTypeFont
    colour: tuple[int, int, int]
    height_px: int


def draw_label(picture: Image, label: Label, box: tuple[int, int, int, int]) -> None:
    """Draw the label on a dark plate at the foot of `box`, as much of it as fits, in the RGB picture itself."""
    left, top, right, bottom = box
    font_px = max(_MIN_FONT_PX, min(_MAX_FONT_PX, min(picture.size) // _FONT_SHARE))
    margin_px = max(2, min(font_px, (right - left) // 24))
    width_px, height_px = right - left - 4 * margin_px, (bottom - top) * 6 // 10 - 2 * margin_px
    lines = _fitting(label, font_px, width_px, height_px)
    if not lines:
        return
    plate_top = bottom - margin_px - sum(line.height_px for line in lines) - 2 * margin_px
    plate = (left + margin_px, plate_top, right - margin_px, bottom - margin_px)
    _darken(picture, plate, radius_px=margin_px)
    draw, baseline = Draw(picture), plate_top + margin_px
    for line in lines:
        draw.text((left + 2 * margin_px, baseline), line.text, fill=line.colour, font=line.font)
        baseline += line.height_px


def printable(text: str) -> str:
    """Return the text's beginning in one line, in letters that Pillow's own font has, where it has them."""
    spread = unicodedata.normalize("NFKD", text[:_MAX_LETTERS].translate(_SUBSTITUTES))
    kept = (" " if letter.isspace() else letter for letter in spread if letter.isspace() or _is_shown(letter))
    return " ".join("".join(kept).split())


def wrapped(text: str, font: FreeTypeFont, width_px: int, max_lines: int) -> list[str]:
    """Break the text into lines no wider than `width_px`; what does not fit in `max_lines` ends in an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in _pieces(text, font, width_px):
        longer = f"{line} {word}" if line else word
        if font.getlength(longer) <= width_px:
            line = longer
            continue
        if len(lines) == max_lines - 1:
            return [*lines, _shortened(f"{longer}…", font, width_px)]
        lines.append(line)
        line = word
    return [*lines, line] if line else lines


def _is_shown(letter: str) -> bool:
    # Marks are the accents that the normalisation has split off; C is for control, format and surrogates.
    return unicodedata.category(letter)[0] not in "CM"


def _fitting(label: Label, font_px: int, width_px: int, height_px: int) -> list[_Line]:
    """Return the lines that fit: the details come first, for they are short; the text takes what is left."""
    detail_font = _font(max(_MIN_FONT_PX, font_px * 3 // 4))
    details = [
        _Line(text, detail_font, (214, 222, 232), _line_px(detail_font))
        for text in _joined(map(printable, label.details), detail_font, width_px)
    ]
    details = details[: max(0, height_px // _line_px(detail_font))]
    font = _font(font_px)
    left_px = height_px - sum(line.height_px for line in details)
    max_lines = min(_MAX_PROMPT_LINES, left_px // _line_px(font))
    text = wrapped(printable(label.text), font, width_px, max_lines) if max_lines > 0 and width_px > 0 else []
    return [*(_Line(line, font, (255, 255, 255), _line_px(font)) for line in text), *details]


def _font(size_px: int) -> FreeTypeFont:
    font = load_default(size_px)
    if not isinstance(font, FreeTypeFont):
        raise TypeError("Pillow was built without FreeType.")
    return font


def _line_px(font: FreeTypeFont) -> int:
    return int(font.size * 1.35)


def _pieces(text: str, font: FreeTypeFont, width_px: int) -> Iterable[str]:
    """Return the words, those that are too wide for a line cut into pieces that are not."""
    for word in text.split():
        rest = word
        while len(rest) > 1 and font.getlength(rest) > width_px:
            count = max(1, _fitting_letters(rest, font, width_px))
            yield rest[:count]
            rest = rest[count:]
        if rest:
            yield rest


def _fitting_letters(text: str, font: FreeTypeFont, width_px: int) -> int:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width_px else (low, middle - 1)
    return low


def _shortened(text: str, font: FreeTypeFont, width_px: int) -> str:
    """Cut the end of a text that ends in an ellipsis until both fit."""
    body = text.removesuffix("…")
    room_px = int(width_px - font.getlength("…"))
    return body[: _fitting_letters(body, font, room_px)].rstrip() + "…"


def _joined(details: Iterable[str], font: FreeTypeFont, width_px: int) -> list[str]:
    """Put as many details in a line as fit; one that is too wide alone is cut, or dropped if little is left."""
    lines: list[str] = []
    for detail in details:
        if lines and font.getlength(longer := lines[-1] + _JOINT + detail) <= width_px:
            lines[-1] = longer
        elif font.getlength(detail) <= width_px:
            lines.append(detail)
        elif _fitting_letters(detail, font, width_px) > 3:  # noqa: PLR2004
            lines.append(_shortened(detail + "…", font, width_px))
    return lines


def _darken(picture: Image, box: tuple[int, int, int, int], radius_px: int) -> None:
    part = picture.crop(box)
    corners = new("L", part.size, 0)
    Draw(corners).rounded_rectangle((0, 0, part.width - 1, part.height - 1), radius_px, fill=255)
    picture.paste(blend(part, new("RGB", part.size, (12, 16, 24)), 0.68), box[:2], corners)
