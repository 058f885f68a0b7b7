"""The stand-in for background removal: what differs in colour from the borders stays, the rest turns transparent."""

from PIL.Image import Image, alpha_composite, composite, new
from PIL.ImageChops import multiply

from runware_mock.images.standins.foreground import find_foreground
from runware_mock.images.standins.modes import alpha, opaque
from runware_mock.images.standins.regions import binary

_CLEAR_WHITE = (255, 255, 255, 0)


def remove_background(
    picture: Image, *, return_only_mask: bool = False, rgba: tuple[int, int, int, int] | None = None
) -> Image:
    """Return the foreground in RGBA before `rgba`, by default transparent; or the foreground's mask in L."""
    mask = find_foreground(picture)
    if return_only_mask:
        return mask
    given = alpha(picture)
    front = opaque(picture)
    front.putalpha(mask if given is None else multiply(mask, given))
    ground = new("RGBA", picture.size, _CLEAR_WHITE if rgba is None else rgba)
    if rgba is not None and rgba[3] > 0:
        return alpha_composite(ground, front)
    # The colours of the removed background go as well: readers that ignore alpha would show them.
    return composite(front, ground, binary(front.getchannel("A")))
