"""Fetch what a server stored and compare it with what was sent."""

import io
from urllib.request import urlopen

from PIL import Image

from bench.driver import Load, WrongAnswerError
from bench.pictures import Source

# "we save them with a maximum of 2048 pixels in width or height"
LONGEST_SIDE_PX = 2048


def check_all(load: Load) -> None:
    """Check one stored file of every picture that was sent. Raises WrongAnswerError."""
    for source, url in load.stored.values():
        with urlopen(url, timeout=30) as answer, Image.open(io.BytesIO(answer.read())) as image:  # noqa: S310 - our own
            wrong = faults_of(image, source)
        if wrong:
            raise WrongAnswerError(f"{url} of {source.picture}: {', '.join(wrong)}")


def faults_of(stored: Image.Image, source: Source) -> list[str]:
    """List how a stored picture differs from what it must be."""
    picture = source.picture
    longest_px = max(picture.size_px)
    scale = min(1.0, LONGEST_SIDE_PX / longest_px)
    faults = []
    if stored.format != picture.kind:
        faults.append(f"format {stored.format}")
    if max(stored.size) != min(longest_px, LONGEST_SIDE_PX):
        faults.append(f"longest side {max(stored.size)} px")
    if any(abs(got - sent * scale) > 1 for got, sent in zip(stored.size, picture.size_px, strict=True)):
        faults.append(f"size {stored.size}")
    if getattr(stored, "n_frames", 1) != picture.frames:
        faults.append(f"not {picture.frames} frames")
    return faults
