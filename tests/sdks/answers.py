"""What every test asks of an SDK's answer."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from PIL import Image

from tests import plain
from tests.sdks.catalogue import Outcome, Refusal, Upload
from tests.sdks.gallery import Picture


def assert_worked(outcome: Outcome) -> None:
    """Show the SDK's own words when its call failed."""
    assert outcome["ok"], outcome.get("error")


def assert_refused(outcome: Outcome) -> Refusal:
    """Return what the user saw of the first of two uploads, which must have failed."""
    refusal = outcome["refusal"]
    assert refusal is not None, f"it was accepted: {outcome['first']}"
    return refusal


def assert_stored(upload: Upload | None, picture: Picture) -> None:
    """Ask that the answer names a stored picture and that its address gives that picture back."""
    assert upload is not None
    assert upload["imageUUID"], f"no imageUUID in what the SDK returned: {upload}"
    assert UUID(upload["imageUUID"]).version == 4
    assert upload["imageUUID"] != upload["taskUUID"]
    # Straight to the mock, whatever proxy the developer's machine has.
    with plain.Client(trust_env=False) as client:
        reply = client.get(upload["imageURL"])
    assert reply.status_code == 200, upload["imageURL"]
    with Image.open(BytesIO(reply.content)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", picture.size_px)
