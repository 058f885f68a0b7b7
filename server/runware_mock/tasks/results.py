"""What image tasks answer with: pictures that are media of their own, told in the form the task asks for."""

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from runware_mock.images.formats import FORMATS, url_path
from runware_mock.images.picture import Picture
from runware_mock.protocol.messages import Item, Task
from runware_mock.services import Caller, Services
from runware_mock.storage import contents, deliveries, media
from runware_mock.storage.connection import Connection
from runware_mock.storage.contents import Placed
from runware_mock.tasks.inputs import Input, Inputs
from runware_mock.tasks.parameters import Parameters
from runware_mock.tasks.work import Commit, Done

if TYPE_CHECKING:
    from PIL.Image import Image

# "outputType `URL` (default) | `base64Data` | `dataURI`"; "outputQuality 20 to 99, default 95"; "`ttl` ≥ 60 s".
_OUTPUT_TYPES = ("URL", "base64Data", "dataURI")
_ENCODED = {"JPG": "jpeg", "JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}
# Guess: a year is longer than anybody keeps a result.
_MAX_TTL_S = 366 * 86400
# Guess: what a task costs is no secret, but depends on the model; these are of the right order.
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
}


class Output(Struct, frozen=True):
    """How a task wants its results; `extension` is the format as the client wrote it."""

    types: Sequence[str]
    format: str
    extension: str
    quality: int
    ttl_ms: int | None
    upload_endpoint: str | None


class Result(Struct, frozen=True):
    """One picture of an answer, the fields that go with it, and the image it was made of.

    `must_name_input`: the types of the newer SDKs require an `inputImageUUID`, so an input that is not stored will be.
    """

    picture: Picture
    fields: Item = field(default_factory=dict)
    made_of: Input | None = None
    must_name_input: bool = False


def read_output(read: Parameters, default_format: str = "JPG", allowed: Sequence[str] = tuple(_ENCODED)) -> Output:
    """Read the parameters that every image task shares."""
    read_delivery(read)
    given = read.task.get("outputFormat")
    format_name = read.choice("outputFormat", allowed, default_format)
    return Output(
        types=_output_types(read),
        format=_ENCODED.get(format_name, format_name.lower()),
        # "Extension upper-cased when outputFormat was given upper-case; `.jpg` default".
        extension=given if isinstance(given, str) else format_name.lower(),
        quality=read.integer("outputQuality", 20, 99, default=95),
        ttl_ms=None if read.task.get("ttl") is None else read.integer("ttl", 60, _MAX_TTL_S) * 1000,
        upload_endpoint=read.url("uploadEndpoint"),
    )


def read_delivery(read: Parameters) -> None:
    """Check the parameters of how an answer is delivered, which the engine heeds."""
    read.choice("deliveryMethod", ("sync", "async"), "sync")
    read.url("webhookURL")
    read.flag("includeCost")


def _output_types(read: Parameters) -> Sequence[str]:
    given = read.task.get("outputType")
    if not isinstance(given, list):
        return (read.choice("outputType", _OUTPUT_TYPES, "URL"),)
    # The older Python SDK may send several.
    return [Parameters({"outputType": one}, read.page).choice("outputType", _OUTPUT_TYPES) for one in given] or ["URL"]


def encoded(image: "Image", output: Output) -> Picture:
    """Return a stand-in's picture in the format asked for."""
    from runware_mock.images.standins.encode import encode

    name: Literal["jpeg", "png", "webp"] = output.format  # type: ignore[assignment] # read_output allows no other
    return Picture(output.format, *image.size, 1, encode(image, name, output.quality))


def storing(
    task: Task,
    services: Services,
    caller: Caller,
    inputs: Inputs,
    output: Output,
    results: Sequence[Result],
    *,
    family: str,
    prefix: str = "image",
) -> Commit:
    """Return what is left to write: inputs are used, results become media; the items name them by `prefix`."""
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
                    **echoed(task, family),
                    **_stored(connection, services, caller, output, picture, prefix, task),
                    **_input_named(connection, services, caller, result, made_of, task),
                    **result.fields,
                }
                for result, picture, made_of in placed
            ]
        )

    return commit


def echoed(task: Task, family: str = "") -> Item:
    """Return the fields that every item begins with, and the cost where it was asked for."""
    item: Item = {"taskType": task["taskType"], "taskUUID": task["taskUUID"]}
    return {**item, "cost": COSTS[family]} if family and task.get("includeCost") is True else item


def _placed(services: Services, picture: Picture) -> Placed:
    return services.files.place(hashlib.sha256(picture.data).digest(), picture)


def _input_to_store(result: Result) -> Input | None:
    """Return the input that is not stored yet and will be, so that it has a UUID."""
    made_of = result.made_of
    return made_of if made_of is not None and made_of.uuid is None and result.must_name_input else None


def _input_named(
    connection: Connection, services: Services, caller: Caller, result: Result, made_of: Placed | None, task: Task
) -> dict[str, object]:
    uuid = None if result.made_of is None else result.made_of.uuid
    if made_of is not None:
        now_at = services.now_at(caller.account.id)
        content = contents.add(connection, made_of, now_at)
        uuid = services.ids.new(connection, caller.account.id)
        media.add(connection, caller.account.id, content.id, uuid, now_at, task_type=task["taskType"])
    return {} if uuid is None else {"inputImageUUID": uuid}


def _stored(
    connection: Connection,
    services: Services,
    caller: Caller,
    output: Output,
    placed: Placed,
    prefix: str,
    task: Task,
) -> Item:
    picture, now_at = placed.picture, services.now_at(caller.account.id)
    content_id = contents.add(connection, placed, now_at).id
    expires_at = None if output.ttl_ms is None else now_at + output.ttl_ms
    uuid = services.ids.new(connection, caller.account.id)
    media.add(
        connection, caller.account.id, content_id, uuid, now_at, task_type=task["taskType"], expires_at=expires_at
    )
    content_type = FORMATS[picture.format].content_type
    if output.upload_endpoint is not None:
        # The page on uploadEndpoint: the bytes of the result are PUT raw to that URL.
        deliveries.add(connection, caller.account.id, "PUT", output.upload_endpoint, content_type, picture.data, now_at)
    fields: Item = {f"{prefix}UUID": uuid}
    url = caller.base_url + url_path(uuid, picture.format, output.extension)
    if "URL" in output.types:
        fields[f"{prefix}URL"] = url
    if len(output.types) > 1 or "URL" not in output.types:
        text = base64.b64encode(picture.data).decode()
        if "base64Data" in output.types:
            fields[f"{prefix}Base64Data"] = text
        if "dataURI" in output.types:
            fields[f"{prefix}DataURI"] = f"data:{content_type};base64,{text}"
    if "inputs" in task:
        # Callers of the newer form look for the newer names.
        fields |= {"mediaUUID": uuid, "mediaURL": url}
    return fields
