"""The results of image tasks: pictures that become media, answered in the form that the task asks for."""

import base64
import hashlib
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from PIL.Image import Image
from PIL.ImageOps import fit
from sqlalchemy import Connection

from runware_mock.faults.scripted import Given
from runware_mock.images.codec import DECODERS, Codec, opened
from runware_mock.images.formats import FORMATS, Picture, detect_format, url_path
from runware_mock.images.resize import RESAMPLING
from runware_mock.images.standins.conversion import ENCODED, encode, plain
from runware_mock.protocol.messages import Item, Task
from runware_mock.services import Caller, Services
from runware_mock.storage import contents, deliveries, media
from runware_mock.storage.contents import Placed
from runware_mock.storage.deliveries import Request
from runware_mock.tasks.image_models import WithOutput
from runware_mock.tasks.inputs import Input, Inputs
from runware_mock.tasks.models import AnyTask
from runware_mock.tasks.work import Commit, Done, Work

_FORMATS: Mapping[str, str] = {"JPG": "jpeg", "JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}


class Result(Struct, frozen=True):
    """One picture of an answer, and the fields that go with it."""

    picture: Picture
    fields: Item = {}


def encoded(image: Image, task: WithOutput) -> Picture:
    """Return a stand-in's picture in the format that the task asks for."""
    name = _FORMATS[task.output_format or task.default_format]
    return Picture(name, *image.size, 1, encode(image, name, task.output_quality))


def answer_with(
    results: Sequence[Result],
    task: WithOutput,
    services: Services,
    caller: Caller,
    inputs: Inputs,
    *,
    prefix: str = "image",
    made_of: Input | None = None,
) -> Commit:
    """Return the function that renews the inputs and stores the results as media; items name them by `prefix`.

    Items also name the image they are made of, if it is stored.
    """
    if services.given is not None and services.given.picture is not None:
        picture = _shown(services.given.picture, results[0].picture, services.codec, task.output_quality)
        results = [replace(result, picture=picture) for result in results]
    placed = [_placed(services, result.picture) for result in results]
    # For these, the types of the newer SDKs require an `inputImageUUID`, so an image that has none gets stored.
    must_name = made_of is not None and made_of.uuid is None and prefix != "image"
    original = _placed(services, made_of.picture) if made_of and must_name else None

    def commit(connection: Connection) -> Done:
        inputs.use(connection)
        stored = [_stored(connection, services, caller, one, prefix, task) for one in placed]
        uuid = made_of.uuid if made_of else None
        if original is not None:
            content_id = contents.add(connection, original, services.now_at(caller.account.id)).id
            uuid = add_medium(connection, services, caller, content_id, task.task_type)
        named = {"inputImageUUID": uuid} if uuid else {}
        items = zip(stored, results, strict=True)
        return Done([{**begun(task), **item, **named, **result.fields} for item, result in items])

    return commit


def echoed(task: Task) -> Item:
    """Return the fields that every item begins with."""
    return {"taskType": task["taskType"], "taskUUID": task["taskUUID"]}


def begun(task: AnyTask) -> Item:
    """Return the fields that every result begins with: with the price, if the task asks for it."""
    return {**echoed(task.sent), **({"cost": task.price_usd} if task.sent.get("includeCost") is True else {})}


def priced(task: AnyTask) -> list[Item]:
    """Return the answer to a dry run: the price of the whole task."""
    return [{**echoed(task.sent), "cost": round(task.price_usd * task.result_count, 6)}]


def add_medium(
    connection: Connection,
    services: Services,
    caller: Caller,
    content_id: int,
    task_type: object,
    ttl_s: int | None = None,
) -> str:
    """Store a medium of the caller's and return its UUID; with `ttl_s`, it expires by then at the latest."""
    uuid, now_at = services.new_uuid(connection, caller.account.id), services.now_at(caller.account.id)
    expires_at = None if ttl_s is None else now_at + ttl_s * 1000
    media.add(connection, caller.account.id, content_id, uuid, now_at, task_type=task_type, expires_at=expires_at)
    return uuid


def with_given(work: Work, given: Given | None) -> Work:
    """Return the work with the text and the fields that a rule gives in its answer."""
    if given is None:
        return work
    if isinstance(work, list):
        return given.merged(work)

    def commit(connection: Connection) -> Done:
        done = work(connection)
        return replace(done, items=given.merged(done.items))

    return commit


def _shown(data: bytes, asked: Picture, codec: Codec, quality: int) -> Picture:
    """Return a picture that a rule gives in the size and format of the stand-in's.

    It fills the whole size: what is too wide or too high is cut off at both ends. A medium of another kind than the
    stand-in's, such as a video for a picture, cannot be shown: the stand-in stays.
    """
    name = detect_format(data)
    if name is None or name not in DECODERS:
        return asked if name != asked.format else Picture(asked.format, 0, 0, 1, data)
    if asked.format not in ENCODED:
        return asked
    decoder, size = DECODERS[name](data), (asked.width_px, asked.height_px)
    if name == asked.format and decoder.size == size and decoder.orientation == 1:
        return Picture(name, *size, decoder.frames, data)
    with codec.drawing(*size):
        image = fit(plain(opened(Picture(name, *decoder.size, 1, data))), size, RESAMPLING)
        return replace(asked, data=encode(image, asked.format, quality))


def _placed(services: Services, picture: Picture) -> Placed:
    return services.blobs.place(hashlib.sha256(picture.data).digest(), picture)


def _stored(
    connection: Connection, services: Services, caller: Caller, placed: Placed, prefix: str, task: WithOutput
) -> Item:
    picture, now_at = placed.picture, services.now_at(caller.account.id)
    content_id = contents.add(connection, placed, now_at).id
    uuid = add_medium(connection, services, caller, content_id, task.task_type, task.ttl)
    content_type = FORMATS[picture.format].content_type
    if task.upload_endpoint is not None:
        # The page on uploadEndpoint: the bytes of the result are PUT raw to that URL.
        request = Request("PUT", task.upload_endpoint, content_type, picture.data)
        deliveries.add(connection, caller.account.id, request, now_at)
    # Clients look for imageUUID and imageURL whatever the picture is for.
    names = (prefix, "image") if prefix.endswith("Image") else (prefix,)
    fields: Item = {f"{name}UUID": uuid for name in names}
    url = caller.base_url + url_path(uuid, picture.format, task.extension)
    if "URL" in task.output_type:
        fields |= {f"{name}URL": url for name in names}
    if len(task.output_type) > 1 or "URL" not in task.output_type:
        text = base64.b64encode(picture.data).decode()
        if "base64Data" in task.output_type:
            fields[f"{prefix}Base64Data"] = text
        if "dataURI" in task.output_type:
            fields[f"{prefix}DataURI"] = f"data:{content_type};base64,{text}"
    if "inputs" in task.sent:
        # Callers of the newer form look for the newer names.
        fields |= {"mediaUUID": uuid, "mediaURL": url}
    return fields
