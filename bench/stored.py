"""Fetch what a server stored and compare it with what was sent."""

import io
from http.client import HTTPConnection
from urllib.parse import urlsplit

from PIL import Image

from bench.asking import Uploaded, WrongAnswerError
from bench.corpus import Picture, Source, glance
from bench.quality import LONGEST_SIDE_PX, psnr_db

# Well below what any sound resize gives at this size; another picture gives 10.
LEAST_PSNR_DB = 28.0


def fetch(url: str) -> bytes:
    """GET a picture."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        message = f"GET {parts.path} answered {answer.status} {body[:200]!r}"
        raise WrongAnswerError(message)
    return body


def faults_of(stored: Image.Image, source: Source) -> list[str]:
    """List how a stored picture differs from what it must be."""
    picture: Picture = source.picture
    longest_px = max(picture.size_px)
    scale = min(1.0, LONGEST_SIDE_PX / longest_px)
    faults = []
    if stored.format != picture.kind:
        faults.append(f"format {stored.format}")
    if max(stored.size) != min(longest_px, LONGEST_SIDE_PX):
        faults.append(f"longest side {max(stored.size)} px")
    pairs = zip(stored.size, picture.size_px, strict=True)
    if any(abs(got - wanted * scale) > 1 for got, wanted in pairs):
        faults.append(f"size {stored.size}")
    frames = getattr(stored, "n_frames", 1)
    if frames != picture.frames:
        return [*faults, f"{frames} frames"]
    for frame, wanted_glance in source.glances.items():
        stored.seek(frame)
        likeness_db = psnr_db(glance(stored), wanted_glance)
        if likeness_db < LEAST_PSNR_DB:
            faults.append(f"frame {frame} at {likeness_db:.0f} dB from the original")
    return faults


def check_stored(source: Source, entry: Uploaded) -> bytes:
    """Fail unless the stored picture is what was sent; return its file."""
    body = fetch(entry.image_url)
    with Image.open(io.BytesIO(body)) as image:
        faults = faults_of(image, source)
    if faults:
        message = f"{entry.image_url} of {source.picture}: {', '.join(faults)}"
        raise WrongAnswerError(message)
    return body
