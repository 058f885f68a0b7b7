"""The limit: libvips behind FastAPI, with little around it. It re-encodes every picture."""

import argparse
import asyncio
import sqlite3
import threading
from pathlib import Path
from uuid import uuid4

import msgspec
import pybase64
import pyvips
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response

LONGEST_SIDE_PX = 2048
LOADERS = {"jpegload": "jpg", "pngload": "png", "webpload": "webp", "gifload": "gif"}
SAVERS = {"jpg": ".jpg[Q=90,keep=icc]", "png": ".png", "webp": ".webp[Q=90]", "gif": ".gif"}
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}


class Task(msgspec.Struct):
    """One task of the request's array."""

    task_type: str = msgspec.field(name="taskType")
    task_uuid: str = msgspec.field(name="taskUUID")
    image: str


def downsize(raw: bytes) -> tuple[bytes, str]:
    """Return the picture within 2048 px, in its own format, and the extension."""
    image = pyvips.Image.new_from_buffer(raw, "")
    extension = LOADERS[image.get("vips-loader").removesuffix("_buffer")]
    pages = image.get("n-pages") if "n-pages" in image.get_fields() else 1
    if max(image.width, image.height) > LONGEST_SIDE_PX:
        options = "n=-1" if pages > 1 else ""
        image = pyvips.Image.thumbnail_buffer(
            raw, LONGEST_SIDE_PX, height=LONGEST_SIDE_PX, size="down", option_string=options
        )
    elif pages > 1:
        image = pyvips.Image.new_from_buffer(raw, "", n=-1)
    return image.write_to_buffer(SAVERS[extension]), extension


def create_app(data_dir: Path) -> FastAPI:
    """Build the application over a database in `data_dir`."""
    lock = threading.Lock()
    database = sqlite3.connect(data_dir / "vips.db", check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("CREATE TABLE IF NOT EXISTS images (uuid TEXT PRIMARY KEY, extension TEXT, content BLOB)")
    app = FastAPI()

    def store(task: Task, base_url: str) -> dict[str, str]:
        content, extension = downsize(pybase64.b64decode(task.image.rpartition(",")[2]))
        uuid = str(uuid4())
        with lock, database:
            database.execute("INSERT INTO images VALUES (?, ?, ?)", (uuid, extension, content))
        url = f"{base_url}image/ii/{uuid}.{extension}"
        return {"taskType": task.task_type, "taskUUID": task.task_uuid, "imageUUID": uuid, "imageURL": url}

    @app.post("/v1")
    async def upload(request: Request) -> Response:
        tasks = msgspec.json.decode(await request.body(), type=list[Task])
        data = [await asyncio.to_thread(store, task, str(request.base_url)) for task in tasks]
        return Response(msgspec.json.encode({"data": data}), media_type="application/json")

    @app.get("/image/ii/{name}")
    def image(name: str) -> Response:
        with lock:
            row = database.execute(
                "SELECT extension, content FROM images WHERE uuid = ?", (name.partition(".")[0],)
            ).fetchone()
        if row is None:
            raise HTTPException(404)
        return Response(row[1], media_type=MEDIA_TYPES[row[0]])

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data-dir", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.data_dir.mkdir(parents=True, exist_ok=True)
    # Its cache would keep whole pictures between uploads.
    pyvips.cache_set_max(0)
    uvicorn.run(create_app(arguments.data_dir), host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
