"""Drive PyPI `runware` 0.5.x."""

import logging
import os
from typing import Any

# The SDK's own settings, in ms: it waits a minute for an answer of a server that is gone.
for _name in ("TIMEOUT_DURATION", "IMAGE_UPLOAD_TIMEOUT", "IMAGE_OPERATION_TIMEOUT"):
    os.environ[f"RUNWARE_{_name}"] = "6000"
os.environ["RUNWARE_VIDEO_POLLING_DELAY"] = "100"

from lane import drive
from runware import Runware, types

logging.disable(logging.CRITICAL)


class Client:
    def __init__(self, client: Runware) -> None:
        self.client = client

    async def upload(self, path: str) -> dict[str, Any]:
        result = await self.client.uploadImage(path)
        # After a conflict the SDK asks getResponse and returns a list of video results.
        item = result[0] if isinstance(result, list) else result
        return {
            "uuid": getattr(item, "imageUUID", None) or getattr(item, "mediaUUID", None),
            "url": getattr(item, "imageURL", None) or getattr(item, "mediaURL", None),
            "task_uuid": item.taskUUID,
        }

    async def use(self, uuid: str) -> dict[str, Any]:
        result = await self.client.imageCaption(types.IImageCaption(inputImage=uuid))
        item = result[0] if isinstance(result, list) else result
        return {"task_uuid": item.taskUUID}

    async def close(self) -> None:
        await self.client.disconnect()


async def connect(url: str, key: str) -> Client:
    client = Runware(api_key=key, url=url)
    await client.connect()
    return Client(client)


drive(connect)
