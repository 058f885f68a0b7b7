"""The stand-ins for captions and for prompt enhancement: plain sentences from what can be measured or hashed."""

from collections.abc import Sequence
from hashlib import sha256

from PIL.Image import Image, Resampling

from runware_mock.images.standins.modes import alpha, plain
from runware_mock.images.standins.palette import Colour, colours_of
from runware_mock.images.standins.regions import binary

_COLOURS = {
    "black": (12, 12, 12),
    "dark grey": (70, 70, 70),
    "grey": (130, 130, 130),
    "light grey": (195, 195, 195),
    "white": (248, 248, 248),
    "dark red": (120, 25, 25),
    "red": (215, 40, 40),
    "pink": (245, 165, 185),
    "orange": (240, 130, 45),
    "brown": (115, 70, 40),
    "beige": (225, 200, 165),
    "yellow": (250, 220, 70),
    "olive": (125, 125, 45),
    "dark green": (25, 85, 40),
    "green": (70, 160, 70),
    "light green": (160, 220, 140),
    "teal": (25, 130, 130),
    "turquoise": (80, 215, 205),
    "light blue": (160, 200, 240),
    "blue": (60, 115, 215),
    "dark blue": (25, 40, 110),
    "violet": (125, 70, 185),
    "lavender": (195, 175, 230),
    "magenta": (205, 50, 155),
}
# A second colour is named when it covers at least this share of the picture.
_SECOND_SHARE = 0.12
_DARK, _BRIGHT = 70, 185
_VIEW_SIDE_PX = 48
# Sides that differ by less than a twentieth are called square.
_SQUARE_PERCENT = 105
_QUESTION_LETTERS = 120

_LIGHTS = (
    "soft morning light",
    "golden hour glow",
    "dramatic side lighting",
    "bright daylight",
    "moody twilight",
    "gentle studio lighting",
    "moonlit shadows",
)
_VIEWS = (
    "wide-angle composition",
    "close-up framing",
    "rule of thirds",
    "low viewpoint",
    "shallow depth of field",
)
_LOOKS = (
    "rich natural colours",
    "fine detail and texture",
    "muted pastel palette",
    "crisp sharp focus",
    "cinematic contrast",
    "delicate brushwork",
    "subtle film grain",
    "vivid saturated tones",
    "calm atmosphere",
    "hazy background",
    "high resolution",
)


def describe(picture: Image, prompt: str = "") -> str:
    """Return one sentence on the picture's size, shape, brightness, colours and transparency."""
    width_px, height_px = picture.size
    seen = _seen(picture)
    what = f"{_brightness(seen)}{_shape(width_px, height_px)} picture of {width_px} by {height_px} pixels"
    sentence = f"a {what}, {_colours(seen)}{_transparency(picture)}."
    question = " ".join(prompt.split())
    if not question:
        return sentence[0].upper() + sentence[1:]
    shown = question if len(question) <= _QUESTION_LETTERS else question[: _QUESTION_LETTERS - 1] + "…"
    return f"Asked “{shown}”, the stand-in sees {sentence}"


def enhance(prompt: str, version: int) -> str:
    """Return the prompt with details added, other ones for each `version` of the same prompt."""
    # The lengths of the tables have no common divisor, so that one step in each is a new combination for long.
    start = int.from_bytes(sha256(prompt.encode("utf-8", "surrogatepass")).digest()[:8])
    place = start + version
    added = (_LIGHTS[place % len(_LIGHTS)], _VIEWS[place % len(_VIEWS)], _LOOKS[place % len(_LOOKS)])
    return ", ".join([prompt.strip().rstrip(".,;"), *added] if prompt.strip() else added)


def _shape(width_px: int, height_px: int) -> str:
    if 100 * max(width_px, height_px) <= _SQUARE_PERCENT * min(width_px, height_px):
        return "square"
    return "landscape" if width_px > height_px else "portrait"


def _seen(picture: Image) -> list[Colour]:
    """Return the picture's main colours where it is not transparent."""
    view = plain(picture).resize((_VIEW_SIDE_PX, _VIEW_SIDE_PX), Resampling.BOX)
    opacity = alpha(view)
    return colours_of(view.convert("RGB").quantize(16), None if opacity is None else binary(opacity, 127))


def _brightness(seen: list[Colour]) -> str:
    total_px = sum(colour.count_px for colour in seen)
    if not total_px:
        return ""
    mean = sum(sum(colour.rgb) / 3 * colour.count_px for colour in seen) / total_px
    return "dark " if mean < _DARK else "bright " if mean > _BRIGHT else ""


def _colours(seen: list[Colour]) -> str:
    """Name the one or two colours that cover most of the picture, the second only if it is not a shade of the first."""
    shares: dict[str, int] = {}
    for colour in seen:
        name = _name(colour.rgb)
        shares[name] = shares.get(name, 0) + colour.count_px
    if not shares:
        return "without any colour to be seen"
    ranked = sorted(shares, key=lambda name: (-shares[name], name))
    first, hue = ranked[0], ranked[0].split()[-1]
    least_px = _SECOND_SHARE * sum(shares.values())
    others = [name for name in ranked if name.split()[-1] != hue and shares[name] >= least_px]
    return f"mostly {' and '.join([first, *others[:1]])}"


def _transparency(picture: Image) -> str:
    opacity = alpha(picture)
    if opacity is None:
        return ""
    lowest, highest = opacity.getextrema()
    return ", wholly transparent" if highest == 0 else ", with transparent parts" if lowest == 0 else ", translucent"


def _name(colour: Sequence[int]) -> str:
    def distance(name: str) -> int:
        red, green, blue = (one - other for one, other in zip(colour, _COLOURS[name], strict=True))
        # The eye tells greens apart best.
        return 2 * red * red + 4 * green * green + 3 * blue * blue

    return min(_COLOURS, key=distance)
