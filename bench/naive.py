"""The naive baseline: the upload API as one would write it in an afternoon.

FastAPI with pydantic bodies in a plain `def` endpoint, Pillow's thumbnail, the ORM with the blob stored inside the
request, uvicorn as it comes. It is correct (every frame of an animation, its timing and loop count) and not tuned.
"""

import argparse
import base64
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID, uuid4

import uvicorn
from alembic import command
from alembic.config import Config
from fastapi import FastAPI, HTTPException, Request, Response
from PIL import Image, ImageSequence
from pydantic import BaseModel, Field
from sqlalchemy import LargeBinary, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

LONGEST_SIDE_PX = 2048
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "BMP": "bmp"}


class Base(DeclarativeBase):
    """The ORM's registry."""


class StoredImage(Base):
    """An uploaded picture, its bytes in the row."""

    __tablename__ = "images"

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(32))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class UploadTask(BaseModel):
    """One task of the request's array."""

    task_type: Literal["imageUpload"] = Field(validation_alias="taskType")
    task_uuid: UUID = Field(validation_alias="taskUUID")
    image: str


def downsize(raw: bytes) -> tuple[bytes, str]:
    """Return the picture within 2048 px, in its own format, and the format."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(raw)) as image:
        kind = image.format or ""
        if kind not in EXTENSIONS:
            raise HTTPException(400, f"unsupported format {kind}")
        if getattr(image, "is_animated", False):
            frames: list[Image.Image] = []
            durations: list[int] = []
            loop = image.info.get("loop")
            for frame in ImageSequence.Iterator(image):
                picture = frame.copy()
                picture.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
                frames.append(picture)
                durations.append(frame.info.get("duration", 0))
            options = {} if loop is None else {"loop": loop}
            frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=durations, **options)
        else:
            image.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
            image.save(out, kind)
    return out.getvalue(), kind


def migrate(url: str) -> None:
    """Bring the database to the newest revision."""
    config = Config()
    scripts = Path(__file__).with_name("naive_migrations")
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")


def create_app(data_dir: Path) -> FastAPI:
    """Build the application over a database in `data_dir`."""
    url = f"sqlite:///{data_dir / 'naive.db'}"
    migrate(url)
    engine = create_engine(url)
    app = FastAPI()

    @app.post("/v1")
    def upload(tasks: list[UploadTask], request: Request) -> dict[str, list[dict[str, object]]]:
        data: list[dict[str, object]] = []
        for task in tasks:
            raw = base64.b64decode(task.image.rpartition(",")[2])
            content, kind = downsize(raw)
            uuid = uuid4()
            with Session(engine) as session:
                session.add(
                    StoredImage(
                        uuid=str(uuid), media_type=Image.MIME[kind], content=content, created_at=datetime.now(UTC)
                    )
                )
                session.commit()
            url = f"{request.base_url}image/ii/{uuid}.{EXTENSIONS[kind]}"
            data.append({"taskType": task.task_type, "taskUUID": task.task_uuid, "imageUUID": uuid, "imageURL": url})
        return {"data": data}

    @app.get("/image/ii/{name}")
    def image(name: str) -> Response:
        with Session(engine) as session:
            stored = session.get(StoredImage, name.partition(".")[0])
            if stored is None:
                raise HTTPException(404)
            return Response(stored.content, media_type=stored.media_type)

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
    uvicorn.run(create_app(arguments.data_dir), host="127.0.0.1", port=arguments.port)


if __name__ == "__main__":
    main()
