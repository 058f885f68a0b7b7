"""Drive PyPI `runware-sdk` 1.x, over the transport that its URL tells."""

from typing import Any

from lane import drive
from runware import Runware, file_to_data_uri


class Client:
    def __init__(self, client: Runware) -> None:
        self.client = client

    async def upload(self, path: str) -> dict[str, Any]:
        (item,) = await self.client.image_upload({"image": file_to_data_uri(path)})
        return {"uuid": item["imageUUID"], "url": item["imageURL"], "task_uuid": item["taskUUID"]}

    async def use(self, uuid: str) -> dict[str, Any]:
        (item,) = await self.client.run({"taskType": "caption", "model": "runware:152@2", "inputs": {"image": uuid}})
        return {"task_uuid": item["taskUUID"]}

    async def close(self) -> None:
        await self.client.close()


async def connect(url: str, key: str) -> Client:
    if url.startswith("http"):
        client = Runware(api_key=key, transport="rest", http_base_url=url)
    else:
        client = Runware(api_key=key, transport="websocket", ws_base_url=url)
    await client.connect()
    return Client(client)


drive(connect)
