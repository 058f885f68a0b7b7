"""Only five readers ever see what a client sends, whichever way it comes in, and again when it is used."""

import re
import warnings
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from runware_mock.app import FixturesUnusable, create_app
from runware_mock.images.codec import DECODERS
from runware_mock.settings import PICTURES, Settings
from tests import plain
from tests.control.calling import calling
from tests.images.painting import encoded, exif, moving, photo, png_chunk
from tests.images.test_bombs import gibibyte_of_zeros
from tests.running import RunningMock
from tests.talking import Talker, data_uri, new_uuid, upload
from tests.tasks.asking import inference

SERVER = Path(__file__).resolve().parents[2] / "server"
SMALL = (96, 64)


def other_formats() -> dict[str, bytes]:
    """Return a picture in every other format that Pillow both writes and reads."""
    Image.init()
    found = {}
    for name in sorted(Image.SAVE.keys() & Image.OPEN.keys() - {"JPEG", "PNG", "WEBP", "BMP", "GIF", "MPO"}):
        for mode in ("RGB", "L", "1"):
            out = BytesIO()
            with suppress(OSError, ValueError, KeyError, SyntaxError), warnings.catch_warnings(action="ignore"):
                photo(SMALL).convert(mode).save(out, name)
                Image.open(BytesIO(out.getvalue())).load()
                found[name] = out.getvalue()
    return found


def test_there_is_one_reader_for_each_format_and_no_way_around_them() -> None:
    assert set(DECODERS) == set(PICTURES)
    for file in SERVER.rglob("*.py"):
        assert not re.search(r"\bImage\.open\(", file.read_text(encoding="utf-8")), file


def test_every_other_format_that_pillow_could_read_is_refused_on_every_way_in(
    mock: RunningMock, talker: Talker, api_key: str
) -> None:
    others = other_formats()
    assert len(others) >= 10
    for data in others.values():
        picture = data_uri(data)
        answer = talker.ask(
            upload(picture),
            inference(seedImage=picture),
            {"taskType": "imageUpscale", "taskUUID": new_uuid(), "upscaleFactor": 2, "inputImage": picture},
            {"taskType": "mediaStorage", "taskUUID": new_uuid(), "operation": "upload", "media": picture},
        )
        assert not answer.data
        assert sorted(answer.codes) == ["invalidImage", "invalidInputImage", "invalidMedia", "invalidSeedImage"]
        with calling(mock, api_key) as control:
            assert control.refused("POST", "/media", content=data)[0] == 400


def test_nor_may_it_stand_in_the_folder_of_fixtures(tmp_path: Path) -> None:
    for name, data in other_formats().items():
        (tmp_path / f"picture.{name}").write_bytes(data)
        given = Settings(in_memory=True, fixtures=tmp_path, api_key="owner")
        with pytest.raises(FixturesUnusable, match="format"):
            create_app(given)
        (tmp_path / f"picture.{name}").unlink()


def awkward_pictures() -> dict[str, bytes]:
    """Return pictures that are stored as they are, and that Pillow's own way to open them trips over."""
    plain, turned = encoded(photo(SMALL), "PNG"), exif(6).tobytes()
    return {
        "text that inflates": plain[:33] + png_chunk(b"zTXt", b"Comment\0\0" + gibibyte_of_zeros()) + plain[33:],
        "several in one": moving([photo(SMALL), photo((30, 20))], "MPO"),
        "broken EXIF": encoded(photo(SMALL), "JPEG", exif=turned[:20] + b"\xff" * 40),
    }


@pytest.mark.parametrize("kind", ["text that inflates", "several in one", "broken EXIF"])
def test_a_stored_picture_is_read_by_the_same_reader_when_it_is_used_and_shown(
    mock: RunningMock, talker: Talker, kind: str
) -> None:
    uuid = talker.ask(upload(awkward_pictures()[kind])).item["imageUUID"]
    assert talker.ask(inference(seedImage=uuid, strength=0.5)).item["imageUUID"]
    shown = plain.get(f"{mock.url}/ui/thumbnails/{uuid}")
    assert (shown.status_code, Image.open(BytesIO(shown.content)).size) == (200, SMALL)


def test_a_picture_is_turned_as_its_orientation_says_when_it_is_used(talker: Talker) -> None:
    turned = encoded(photo(SMALL), "JPEG", exif=exif(6))
    task = {"taskType": "imageUpscale", "taskUUID": new_uuid(), "upscaleFactor": 2, "inputImage": data_uri(turned)}
    item = talker.ask(task).item
    assert Image.open(BytesIO(plain.get(item["imageURL"]).content)).size == (2 * SMALL[1], 2 * SMALL[0])
