"""One small and one large file of every kind that is accepted, for tests of what may happen to any of them."""

from tests.images.painting import Size, clip, encoded, exif, icc_profile, moving, photo, see_through

SMALL: Size = (80, 60)
WIDE: Size = (2100, 40)


def _of_size(size: Size) -> dict[str, bytes]:
    frames = clip(size, 3)
    return {
        "JPEG": encoded(photo(size), "JPEG", exif=exif(6), icc_profile=icc_profile()),
        "progressive JPEG": encoded(photo(size), "JPEG", progressive=True),
        "CMYK JPEG": encoded(photo(size).convert("CMYK"), "JPEG"),
        "PNG": encoded(see_through(size), "PNG", icc_profile=icc_profile()),
        "palette PNG": encoded(photo(size).quantize(), "PNG"),
        "WebP": encoded(see_through(size), "WEBP", exif=exif(1)),
        "lossless WebP": encoded(photo(size), "WEBP", lossless=True),
        "BMP": encoded(photo(size), "BMP"),
        "GIF": encoded(photo(size), "GIF"),
        "animated GIF": moving(frames, "GIF", duration=100, loop=0, disposal=2),
        "animated WebP": moving(frames, "WEBP", duration=100),
        "animated PNG": moving(frames, "PNG", duration=100),
    }


SMALL_FILES = _of_size(SMALL)
LARGE_FILES = _of_size(WIDE)
