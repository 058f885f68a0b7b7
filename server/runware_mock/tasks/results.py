"""The results of image tasks: pictures that become media, answered in the form that the task asks for."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from PIL.Image import Image
from sqlalchemy import Connection

from runware_mock.images.formats import FORMATS, url_path
from runware_mock.images.picture import Picture
from runware_mock.images.standins.conversion import encode
from runware_mock.protocol.messages import Item, Task
from runware_mock.services import Caller, Services
from runware_mock.storage import contents, deliveries, media
from runware_mock.storage.contents import Placed
from runware_mock.tasks.given import shown
from runware_mock.tasks.image_models import WithOutput
from runware_mock.tasks.inputs import Input, Inputs
from runware_mock.tasks.models import AnyTask
from runware_mock.tasks.work import Commit, Done

_ENCODED: Mapping[str, Literal["jpeg", "png", "webp"]] = {"JPG": "jpeg", "JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}
# Guess: prices are public, but depend on the model; these are of the right order.
COSTS = {
    "imageInference": 0.0013,
    "photoMaker": 0.0043,
    "upscale": 0.0019,
    "removeBackground": 0.0006,
    "caption": 0.0006,
    "controlNetPreprocess": 0.0002,
    "imageMasking": 0.0005,
    "vectorize": 0.01,
    "promptEnhance": 0.0004,
    "videoInference": 0.1,
    "audioInference": 0.02,
    "3dInference": 0.05,
    "textInference": 0.001,
}


@dataclass(frozen=True, slots=True)
class Result:
    """One picture of an answer, the fields that go with it, and the image it was made from.

    `must_name_input`: the types of the newer SDKs require an `inputImageUUID`, so an input not yet stored gets stored.
    """

    picture: Picture
    fields: Item = field(default_factory=dict)
    made_of: Input | None = None
    must_name_input: bool = False


def encoded(image: Image, task: WithOutput) -> Picture:
    """Return a stand-in's picture in the format that the task asks for."""
    name = _ENCODED[task.output_format or task.default_format]
    return Picture(name, *image.size, 1, encode(image, name, task.output_quality))


def answer_with(
    results: Sequence[Result],
    task: WithOutput,
    services: Services,
    caller: Caller,
    inputs: Inputs,
    *,
    family: str,
    prefix: str = "image",
) -> Commit:
    """Return the function that renews the inputs and stores the results as media; items name them by `prefix`."""
    if services.given is not None and services.given.picture is not None:
        picture = shown(services.given.picture, results[0].picture, services.codec, task.output_quality)
        results = [replace(result, picture=picture) for result in results]
    placed = [
        (result, _placed(services, result.picture), _placed(services, made_of.picture) if made_of else None)
        for result in results
        for made_of in (_input_to_store(result),)
    ]

    def commit(connection: Connection) -> Done:
        inputs.use(connection)
        return Done(
            [
                {
                    **echoed(task.sent, family),
                    **_stored(connection, services, caller, picture, prefix, task),
                    **_input_named(connection, services, caller, result, made_of, task),
                    **result.fields,
                }
                for result, picture, made_of in placed
            ]
        )

    return commit


def echoed(task: Task, family: str = "") -> Item:
    """Return the fields that every item begins with, and the cost if the task asks for it."""
    item: Item = {"taskType": task["taskType"], "taskUUID": task["taskUUID"]}
    return {**item, "cost": COSTS[family]} if family and task.get("includeCost") is True else item


def checked(task: AnyTask, family: str, count: int = 1) -> list[Item]:
    """Return the answer to a dry run: the total cost of the task."""
    return [{**echoed(task.sent), "cost": round(COSTS.get(family, 0.0) * count, 6)}]


def _placed(services: Services, picture: Picture) -> Placed:
    return services.blobs.place(hashlib.sha256(picture.data).digest(), picture)


def _input_to_store(result: Result) -> Input | None:
    """Return the input that must be stored to get a UUID, or None."""
    made_of = result.made_of
    return made_of if made_of is not None and made_of.uuid is None and result.must_name_input else None


def _input_named(
    connection: Connection, services: Services, caller: Caller, result: Result, made_of: Placed | None, task: WithOutput
) -> dict[str, object]:
    uuid = None if result.made_of is None else result.made_of.uuid
    if made_of is not None:
        now_at = services.now_at(caller.account.id)
        content = contents.add(connection, made_of, now_at)
        uuid = services.new_uuid(connection, caller.account.id)
        media.add(connection, caller.account.id, content.id, uuid, now_at, task_type=task.task_type)
    return {} if uuid is None else {"inputImageUUID": uuid}


def _stored(
    connection: Connection,
    services: Services,
    caller: Caller,
    placed: Placed,
    prefix: str,
    task: WithOutput,
) -> Item:
    picture, now_at = placed.picture, services.now_at(caller.account.id)
    content_id = contents.add(connection, placed, now_at).id
    expires_at = None if task.ttl is None else now_at + task.ttl * 1000
    uuid = services.new_uuid(connection, caller.account.id)
    media.add(connection, caller.account.id, content_id, uuid, now_at, task_type=task.task_type, expires_at=expires_at)
    content_type = FORMATS[picture.format].content_type
    if task.upload_endpoint is not None:
        # The page on uploadEndpoint: the bytes of the result are PUT raw to that URL.
        deliveries.add(connection, caller.account.id, "PUT", task.upload_endpoint, content_type, picture.data, now_at)
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
