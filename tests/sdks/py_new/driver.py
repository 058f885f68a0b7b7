"""Drive PyPI `runware-sdk` 1.x: one JSON command on stdin, one JSON line on stdout."""

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from runware import Runware, file_to_base64, file_to_data_uri

Json = dict[str, Any]

# How a user of this SDK can write the picture; it sends the string as it is given.
WAYS = {
    "data_uri": file_to_data_uri,
    # Bytes have no name to guess from: the label says application/octet-stream.
    "unlabelled_data_uri": lambda path: file_to_data_uri(Path(path).read_bytes()),
    "base64": file_to_base64,
    "url": str,
}


def error_as_json(error: BaseException) -> Json:
    """Keep what a user of the SDK would see."""
    return {
        "type": type(error).__name__,
        "code": getattr(error, "code", None),
        "message": str(error) or type(error).__name__,
        "parameter": getattr(error, "parameter", None),
        "status": getattr(error, "status_code", None),
    }


async def upload(client: Runware, way: str, source: str) -> Json:
    """Send one picture and keep the one item of the answer."""
    items = await client.image_upload({"image": WAYS[way](source)})
    (item,) = items
    return {name: item.get(name) for name in ("imageUUID", "imageURL", "taskUUID")}


def filled(value: Any, picture: str | None) -> Any:
    """Put the picture in its place."""
    if isinstance(value, dict):
        return {name: filled(inner, picture) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, picture) for inner in value]
    return picture if value == "<picture>" else value


async def use(client: Runware, call: Json, picture: Json) -> Json:
    """Run one task and keep the items of the answer; the SDK polls by itself."""
    answer: Json = {}
    given = None
    if call["way"] == "uuid":
        (uploaded,) = await client.image_upload({"image": file_to_data_uri(picture["path"])})
        given = answer["given"] = uploaded["imageUUID"]
    elif call["way"] != "none":
        given = WAYS[call["way"]](picture["url" if call["way"] == "url" else "path"])
    return {**answer, "items": await getattr(client, call["method"])(filled(call["arguments"], given))}


async def answer_of(client: Runware, call: Json, command: Json) -> Json:
    """Let a task fail, or hang, alone."""
    try:
        done = await asyncio.wait_for(use(client, call, command["picture"]), command["call_limit_s"])
        return {"ok": True, **done}
    except Exception as error:
        return {"ok": False, "error": error_as_json(error)}


async def perform(client: Runware, command: Json) -> Json:
    """Run one scenario."""
    scenario, files, way = command["scenario"], command["files"], command["way"]
    if command["connect_first"]:
        await client.connect()
    if scenario == "connect":
        return {"session": client._ws_transport.session_id}
    if scenario == "upload":
        return {"results": await asyncio.gather(*(upload(client, way, f) for f in files))}
    if scenario == "two_uploads":
        outcome: Json = {"first": None, "refusal": None}
        try:
            outcome["first"] = await upload(client, way, files[0])
        except Exception as error:
            outcome["refusal"] = error_as_json(error)
        return {**outcome, "second": await upload(client, way, files[1])}
    if scenario == "uses":
        calls = command["calls"]
        answers = await asyncio.gather(*(answer_of(client, call, command) for call in calls))
        return {"answers": {call["name"]: answer for call, answer in zip(calls, answers, strict=True)}}
    raise ValueError(f"unknown scenario {scenario}")


async def drive(command: Json) -> Json:
    """Run the scenario within its limit; the SDK's own is 20 minutes."""
    address = {"http_base_url" if command["transport"] == "rest" else "ws_base_url": command["url"]}
    client = Runware(api_key=command["key"], transport=command["transport"], **address)
    began = time.monotonic()
    try:
        outcome = await asyncio.wait_for(perform(client, command), command["limit_s"])
        answer = {"ok": True, **outcome}
    except Exception as error:
        answer = {"ok": False, "error": error_as_json(error)}
    answer["seconds"] = round(time.monotonic() - began, 3)
    with suppress(Exception):
        await asyncio.wait_for(client.close(), 2)
    return answer


print(json.dumps(asyncio.run(drive(json.load(sys.stdin)))))
