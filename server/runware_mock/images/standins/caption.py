"""The stand-ins for captions and for prompt enhancement: plain sentences from what can be measured or hashed."""

from collections import Counter
from hashlib import sha256

import numpy as np
from PIL.Image import Image, Resampling

from runware_mock.images.standins.conversion import Rgb, alpha, binary, main_colours, plain

_COLOURS: dict[str, Rgb] = {
    "black": (12, 12, 12),
    "grey": (120, 120, 120),
    "white": (248, 248, 248),
    "red": (205, 35, 40),
    "pink": (245, 165, 185),
    "orange": (240, 130, 45),
    "brown": (115, 70, 40),
    "beige": (225, 200, 165),
    "yellow": (250, 220, 70),
    "green": (65, 145, 65),
    "dark green": (25, 85, 40),
    "turquoise": (60, 180, 175),
    "light blue": (160, 200, 240),
    "blue": (60, 115, 215),
    "dark blue": (25, 40, 110),
    "violet": (135, 65, 180),
}
# A second colour is named when it covers at least this share of the picture.
_SECOND_SHARE = 0.12
_DARK, _BRIGHT = 70, 185
_VIEW_SIDE_PX = 48
# Sides that differ by less than a twentieth are called square.
_SQUARE_RATIO = 1.05
_QUESTION_LETTERS = 120

_LIGHTS = ("soft morning light", "golden hour glow", "dramatic side lighting", "bright daylight", "moody twilight")
_VIEWS = ("wide-angle composition", "close-up framing", "low viewpoint", "shallow depth of field")
_LOOKS = ("rich natural colours", "fine detail and texture", "muted pastel palette")


def describe(picture: Image, prompt: str = "") -> str:
    """Return one sentence on the picture's size, shape, brightness, colours and transparency."""
    width_px, height_px = picture.size
    view = plain(picture).resize((_VIEW_SIDE_PX, _VIEW_SIDE_PX), Resampling.BOX)
    opacity = alpha(view)
    colours = main_colours(view.convert("RGB"), 16, None if opacity is None else binary(opacity, 127))
    kind = f"{_brightness(colours)}{_shape(width_px, height_px)} picture of {width_px} by {height_px} pixels"
    sentence = f"a {kind}, {_named(colours)}{_transparency(picture)}."
    question = " ".join(prompt.split())
    if not question:
        return sentence[0].upper() + sentence[1:]
    shown = question if len(question) <= _QUESTION_LETTERS else question[: _QUESTION_LETTERS - 1] + "…"
    return f"Asked “{shown}”, the stand-in sees {sentence}"


def enhance(prompt: str, version: int) -> str:
    """Return the prompt with details added, different ones for each `version` of the same prompt."""
    # The lengths of the tuples have no common divisor, so that the first 60 versions differ.
    place = version + int.from_bytes(sha256(prompt.encode("utf-8", "surrogatepass")).digest()[:8])
    added = [words[place % len(words)] for words in (_LIGHTS, _VIEWS, _LOOKS)]
    return ", ".join([prompt.strip().rstrip(".,;"), *added] if prompt.strip() else added)


def _shape(width_px: int, height_px: int) -> str:
    if max(width_px, height_px) <= _SQUARE_RATIO * min(width_px, height_px):
        return "square"
    return "landscape" if width_px > height_px else "portrait"


def _brightness(colours: list[tuple[Rgb, int]]) -> str:
    if not colours:
        return ""
    mean = sum(sum(rgb) / 3 * count_px for rgb, count_px in colours) / sum(count_px for _, count_px in colours)
    return "dark " if mean < _DARK else "bright " if mean > _BRIGHT else ""


def _named(colours: list[tuple[Rgb, int]]) -> str:
    """Name the one or two colours that cover most of the picture."""
    if not colours:
        return "without any visible colour"
    names, known = list(_COLOURS), np.array(list(_COLOURS.values()))
    counts_px: Counter[str] = Counter()
    for rgb, count_px in colours:
        # The eye distinguishes greens best.
        counts_px[names[((known - rgb) ** 2 @ (2, 4, 3)).argmin()]] += count_px
    (first, _), *others = counts_px.most_common(2)
    named = [first, *(name for name, count_px in others if count_px >= _SECOND_SHARE * counts_px.total())]
    return f"mostly {' and '.join(named)}"


def _transparency(picture: Image) -> str:
    opacity = alpha(picture)
    if opacity is None:
        return ""
    lowest, highest = opacity.getextrema()
    return ", fully transparent" if highest == 0 else ", with transparent parts" if lowest == 0 else ", translucent"
