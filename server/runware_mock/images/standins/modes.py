"""Whatever mode a picture was decoded in, the few modes in which the stand-ins work."""

from PIL.Image import Image, Resampling, new

_UNMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}


def plain(picture: Image) -> Image:
    """Return a copy in mode L, RGB or RGBA, without metadata but for the colour profile where it still fits."""
    picture = picture.convert(_UNMULTIPLIED[picture.mode]) if picture.mode in _UNMULTIPLIED else picture
    if picture.mode.startswith(("I", "F")):
        # Pillow clips 16 bits to 8, which leaves white; floating point is taken as 0 to 255.
        wide = picture.convert("I") if picture.mode.startswith("I;") else picture
        result = wide.point(lambda value: value / 256).convert("L") if wide.mode == "I" else wide.convert("L")
    elif picture.has_transparency_data:
        result = picture.convert("RGBA")
    elif picture.mode in ("1", "L"):
        result = picture.convert("L")
    else:
        result = picture.convert("RGB")
    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA", "P") else None
    result = result.copy() if result is picture else result
    result.info = {"icc_profile": profile} if profile else {}
    return result


def opaque(picture: Image) -> Image:
    """Return a copy in RGB, on white where the picture is transparent."""
    source = plain(picture)
    if source.mode != "RGBA":
        return source.convert("RGB")
    ground = new("RGB", source.size, "white")
    ground.paste(source, mask=source.getchannel("A"))
    return ground


def grey(picture: Image) -> Image:
    """Return a copy in L, on white where the picture is transparent."""
    return opaque(picture).convert("L")


def alpha(picture: Image) -> Image | None:
    """Return the opacity in L, or None for a picture that is opaque all over."""
    source = plain(picture)
    if source.mode != "RGBA":
        return None
    opacity = source.getchannel("A")
    return None if opacity.getextrema() == (255, 255) else opacity


def sized(picture: Image, max_side_px: int) -> tuple[int, int]:
    """Return the picture's size, scaled down so that its longest side is no longer than `max_side_px`."""
    longest = max(picture.size)
    if longest <= max_side_px:
        return picture.size
    return max(1, picture.width * max_side_px // longest), max(1, picture.height * max_side_px // longest)


def small(picture: Image, max_side_px: int) -> Image:
    """Return a smooth copy whose longest side is no longer than `max_side_px`."""
    size = sized(picture, max_side_px)
    return picture.copy() if size == picture.size else picture.resize(size, Resampling.BILINEAR, reducing_gap=2.0)
