"""Limits that differ between models: sizes and lengths of prompts, one row per family.

Other families take any size, since the real service adds models every week.
"""

import re
from typing import NamedTuple


class Family(NamedTuple):
    """Sides in pixels, as bounds and a multiple; the characters of a prompt; the only sizes, if they are listed."""

    low_px: int
    high_px: int
    multiple_px: int
    shortest_prompt: int
    longest_prompt: int
    sizes_px: tuple[tuple[int, int], ...] = ()


def _upright_too(sizes_px: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return tuple(dict.fromkeys(size for given in sizes_px for size in (given, given[::-1])))


# "positivePrompt 2 to 3000"; "width: divisible by 64, between 128 and 2048", of the documentation of image inference.
CLASSIC = Family(128, 2048, 64, 2, 3000)
# google:4@2 has the longest documented prompt. Guess: larger sides than these only cost memory here.
ANY = Family(1, 8192, 1, 1, 45_000)
# "The following dimension combinations are supported", of the pages of FLUX.1 Kontext [pro] and [max], and of [dev],
# which has eight more.
_KONTEXT_PX = ((1568, 672), (1392, 752), (1248, 832), (1184, 880), (1024, 1024))
_MORE_KONTEXT_PX = ((1504, 688), (1456, 720), (1328, 800), (1104, 944))
# The first pattern that matches the whole model counts.
_FAMILIES = {
    r"runware:10[01]@1": CLASSIC,
    # Seen live: "between 128 and 2048, in multiples of '16'"; the documentation of FLUX.2 says "1-32000" characters.
    r"runware:400@\d+|(runware:)?z-image.*": Family(128, 2048, 16, 1, 32_000),
    r"bfl:[34]@1": ANY._replace(sizes_px=_upright_too(_KONTEXT_PX)),
    r"runware:106@1": ANY._replace(sizes_px=_upright_too(_KONTEXT_PX + _MORE_KONTEXT_PX)),
    # Their documentation: "2 to 32000".
    r"openai:.*": Family(1, 8192, 1, 2, 32_000),
}
_STRICT = {
    # Guess: models differ. A live error of another provider's said "between 256 and 16383, in multiples of '1'".
    r"(runware|civitai|rundiffusion):.*": CLASSIC,
    r".*": Family(128, 4096, 1, 2, 3000),
}


def family_of(model: str, *, is_strict: bool) -> Family:
    """Return the limits of a model; `is_strict` narrows them to what the older documentation says of all models."""
    families = _STRICT if is_strict else _FAMILIES
    return next((family for pattern, family in families.items() if re.fullmatch(pattern, model)), ANY)
