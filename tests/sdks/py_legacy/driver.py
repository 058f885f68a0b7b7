"""Drive PyPI `runware` 0.5.x: one JSON command on stdin, one JSON line on stdout."""

import asyncio
import json
import os
import sys
import time
from contextlib import suppress
from typing import Any

# The SDK's own setting: 3 s between two polls is long for a test.
os.environ.setdefault("RUNWARE_VIDEO_POLLING_DELAY", "100")

from runware import Runware  # after the setting, which is read at import

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
