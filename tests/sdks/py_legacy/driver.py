"""Drive PyPI `runware` 0.5.x: one JSON command on stdin, one JSON line on stdout."""

import asyncio
import base64
import json
import os
import sys
import time
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

# The SDK's own setting: 3 s between two polls is long for a test.
os.environ.setdefault("RUNWARE_VIDEO_POLLING_DELAY", "100")

from runware import Runware, types  # after the setting, which is read at import

Json = dict[str, Any]


def as_json(result: Any) -> Json:
    """Flatten what an upload returned.

    After a conflict the SDK asks getResponse and returns a list of video results, in which an
    upload can be seen only by its mediaUUID and mediaURL.
    """
    item = result[0] if isinstance(result, list) else result
    return {
        "imageUUID": getattr(item, "imageUUID", None) or getattr(item, "mediaUUID", None),
        "imageURL": getattr(item, "imageURL", None) or getattr(item, "mediaURL", None),
        "taskUUID": getattr(item, "taskUUID", None),
        "kind": type(item).__name__,
    }


def error_as_json(error: BaseException) -> Json:
    """Keep what a user of the SDK would see."""
    data = getattr(error, "error_data", None) or {}
    return {
        "type": type(error).__name__,
        "code": data.get("code"),
        "message": data.get("message") or str(error) or type(error).__name__,
        "parameter": data.get("parameter"),
    }


async def upload(client: Runware, path: str) -> Json:
    """Upload the only way this SDK does: by the path of a local file."""
    return as_json(await client.uploadImage(path))


def in_base64(picture: Json) -> str:
    return base64.b64encode(Path(picture["path"]).read_bytes()).decode()


# How a user of this SDK can write a picture in a task.
WAYS = {
    "none": lambda picture: None,
    "file": lambda picture: picture["path"],
    "url": lambda picture: picture["url"],
    "data_uri": lambda picture: f"data:image/png;base64,{in_base64(picture)}",
    "base64": in_base64,
}


def filled(value: Any, places: Json) -> Any:
    """Put the picture, and the webhook's address, in their places."""
    if isinstance(value, dict):
        return {name: filled(inner, places) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, places) for inner in value]
    return places.get(value, value)


def item_as_json(item: Any) -> Json:
    """Flatten one result; the SDK makes an enum of some of the texts."""
    fields = {name: value for name, value in vars(item).items() if value is not None}
    return {name: value.value if isinstance(value, Enum) else value for name, value in fields.items()}


async def use(client: Runware, call: Json, picture: Json) -> Json:
    """Run one task, poll for its result where the SDK leaves that to its user, and keep what it returned."""
    answer: Json = {"polled": False}
    if call["way"] == "uuid":
        given = answer["given"] = (await client.uploadImage(picture["path"])).imageUUID
    else:
        given = WAYS[call["way"]](picture)
    arguments = filled(call["arguments"], {"<picture>": given, "<webhook>": picture["webhook"]})
    if isinstance(arguments, dict) and "inputs" in arguments:
        arguments["inputs"] = types.IInputs(**arguments["inputs"])
    request = getattr(types, call["kind"])(**arguments) if call["kind"] else arguments
    result = await getattr(client, call["method"])(request)
    if isinstance(result, types.IAsyncTaskResponse):
        answer["polled"] = True
        result = await client.getResponse(result.taskUUID, getattr(request, "numberResults", 1))
    items = result if isinstance(result, list) else [result]
    return {**answer, "items": [item_as_json(item) for item in items]}


async def answer_of(client: Runware, call: Json, command: Json) -> Json:
    """Let a task fail, or hang, alone."""
    try:
        done = await asyncio.wait_for(use(client, call, command["picture"]), command["call_limit_s"])
        return {"ok": True, **done}
    except Exception as error:
        return {"ok": False, "error": error_as_json(error)}


async def perform(client: Runware, command: Json) -> Json:
    """Run one scenario."""
    scenario, files = command["scenario"], command["files"]
    if command["connect_first"]:
        await client.connect()
    if scenario == "connect":
        return {"session": client._connectionSessionUUID}
    if scenario == "upload":
        return {"results": await asyncio.gather(*(upload(client, path) for path in files))}
    if scenario == "two_uploads":
        outcome: Json = {"first": None, "refusal": None}
        try:
            outcome["first"] = await upload(client, files[0])
        except Exception as error:
            outcome["refusal"] = error_as_json(error)
        return {**outcome, "second": await upload(client, files[1])}
    if scenario == "uses":
        calls = command["calls"]
        answers = await asyncio.gather(*(answer_of(client, call, command) for call in calls))
        return {"answers": {call["name"]: answer for call, answer in zip(calls, answers, strict=True)}}
    raise ValueError(f"unknown scenario {scenario}")


async def drive(command: Json) -> Json:
    """Run the scenario within its limit; this SDK's connect() has none of its own."""
    client = Runware(api_key=command["key"], url=command["url"])
    began = time.monotonic()
    try:
        outcome = await asyncio.wait_for(perform(client, command), command["limit_s"])
        answer = {"ok": True, **outcome}
    except Exception as error:
        answer = {"ok": False, "error": error_as_json(error)}
    answer["seconds"] = round(time.monotonic() - began, 3)
    with suppress(Exception):
        await asyncio.wait_for(client.disconnect(), 2)
    return answer


print(json.dumps(asyncio.run(drive(json.load(sys.stdin)))))
