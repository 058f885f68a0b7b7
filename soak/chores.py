"""What a client of the soak sends, and what each has to be answered with."""

import base64
import io
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from PIL import Image

from soak.pictures import Sent, paint
from tests.pictures import png

Json = dict[str, Any]
SUCCESS = "success"
_SMALL = 150
_MIDDLE_PX = ((400, 300), (800, 600), (1600, 1200))
_BIG_PX = ((2600, 1500), (2100, 2200))
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_KEPT = 120
_REMEMBERED = 20


@dataclass
class Books:
    """What one account has, and what was asked of it: `media` by UUID, with what has to come back if that is known."""

    key: str
    media: dict[str, Sent | None] = field(default_factory=dict)
    entries: int = 0
    sent: int = 0
    answered: int = 0
    planned: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Chore:
    """A task; `wants` is success or the beginning of an error's code, and `done` is told of the item."""

    task: Json
    wants: str = SUCCESS
    done: Callable[[Json], None] = lambda _item: None
    leaves_an_entry: bool = True

    def problem(self, item: Mapping[str, Any]) -> str | None:
        """Tell what is wrong with an answer."""
        got = str(item.get("code", SUCCESS))
        return None if got.startswith(self.wants) else f"{self.task['taskType']}: {got}, not {self.wants}: {item}"


@cache
def small(number: int) -> Sent:
    """Return one of a few small pictures, which many send."""
    return paint(number)


@cache
def large(number: int) -> Sent:
    """Return one of a few larger pictures, smooth as photographs are; the last ones are scaled when they are stored."""
    size_px = (*_MIDDLE_PX, *_BIG_PX)[number % 5]
    picture_format = _FORMATS[number % len(_FORMATS)] if size_px in _MIDDLE_PX else ("JPEG", "PNG")[number % 2]
    coarse = Image.frombytes("RGB", (16, 12), random.Random(number).randbytes(16 * 12 * 3))
    out = io.BytesIO()
    coarse.resize(size_px, Image.Resampling.BICUBIC).save(out, picture_format)
    longest = max(size_px)
    if longest <= 2048:  # noqa: PLR2004 - what the service keeps
        return Sent.whole(out.getvalue(), picture_format, size_px)
    width_px, height_px = (max(1, int(side * 2048 / longest + 0.5)) for side in size_px)
    return Sent(out.getvalue(), picture_format, (width_px, height_px), None)


def _garbage(draw: random.Random) -> bytes:
    whole = small(draw.randrange(_SMALL)).data
    kinds = (
        draw.randbytes(draw.randrange(1, 5000)),
        whole[: len(whole) // 2],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"II*\0" + draw.randbytes(200),
        b"\x89PNG\r\n\x1a\n" + draw.randbytes(100),
        b"no picture at all",
    )
    return draw.choice(kinds)


class Chores:
    """Thinks up what an account's client does next; it uses and deletes only what it has stored itself."""

    def __init__(self, books: Books, seed: int) -> None:
        self.books = books
        self._draw = random.Random(seed)
        self._mine: list[str] = []
        self._before: list[tuple[str, str]] = []

    def some(self, most: int) -> list[Chore]:
        """Return up to so many, of which none takes away what another one needs: they run side by side."""
        number = self._draw.randint(1, most)
        if len(self._mine) > _KEPT:
            return [self.delete() for _ in range(number)]
        chores = [self.one(may_delete=number == 1) for _ in range(number)]
        # Of two tasks with one taskUUID nobody could tell the answers apart.
        return list({chore.task["taskUUID"]: chore for chore in chores}.values())

    def forget(self) -> None:
        """Start anew: the account's media are others now."""
        self._mine, self._before = [], []

    def one(self, *, may_delete: bool = True) -> Chore:
        """Return one."""
        weights = {self.upload: 50, self.garbage: 8, self.use: 18, self.infer: 3, self.delete: 8}
        weights[self.delete] *= may_delete
        weights |= {self.ask_again: 5, self.send_twice: 3, self.unknown: 2, self.use_unknown: 3}
        return self._draw.choices(list(weights), list(weights.values()))[0]()

    def upload(self) -> Chore:
        """Upload a picture of any format and size."""
        chance = self._draw.random()
        if chance < 0.3:  # noqa: PLR2004 - a share
            data = png(self._draw.randint(8, 64), 16)
            picture = Sent.whole(data, "PNG", (0, 16))
        elif chance < 0.92:  # noqa: PLR2004 - a share
            picture = small(self._draw.randrange(_SMALL))
        else:
            picture = large(self._draw.randrange(10))
        return self._storing(picture)

    def _storing(self, picture: Sent) -> Chore:
        image = base64.b64encode(picture.data).decode()
        if self._draw.random() < 0.2:  # noqa: PLR2004 - a share
            task = self._task("mediaStorage", operation="upload", media=image)
            return Chore(task, done=lambda item: self._stored(task, item["mediaUUID"], picture))
        given = image if self._draw.random() < 0.5 else f"data:image/png;base64,{image}"  # noqa: PLR2004 - a share
        task = self._task("imageUpload", image=given)
        return Chore(task, done=lambda item: self._stored(task, item["imageUUID"], picture))

    def small_upload(self) -> Chore:
        """Upload a picture that nobody has sent before."""
        return self._storing(Sent.whole(png(), "PNG", (16, 12)))

    def garbage(self) -> Chore:
        """Upload what is no picture."""
        image = base64.b64encode(_garbage(self._draw)).decode()
        return Chore(self._task("imageUpload", image=image), "invalidImage")

    def use(self) -> Chore:
        """Use a medium."""
        if not self._mine:
            return self.upload()
        uuid_used = self._draw.choice(self._mine)
        return Chore(self._task("caption", inputs={"image": uuid_used}))

    def infer(self) -> Chore:
        """Let a picture be made of a medium."""
        if not self._mine:
            return self.upload()
        task = self._task(
            "imageInference",
            model="runware:101@1",
            positivePrompt="a ball",
            width=128,
            height=128,
            strength=0.5,
            seedImage=self._draw.choice(self._mine),
        )
        return Chore(task, done=lambda item: self._stored(task, item["imageUUID"], None))

    def delete(self) -> Chore:
        """Delete a medium."""
        if not self._mine:
            return self.upload()
        gone = self._mine.pop(self._draw.randrange(len(self._mine)))
        task = self._task("mediaStorage", operation="delete", media=gone)
        return Chore(task, done=lambda _item: self._deleted(gone))

    def ask_again(self) -> Chore:
        """Ask for the result of an earlier task."""
        if not self._before:
            return self.upload()
        task_uuid, stored = self._draw.choice(self._before)

        def check(item: Json) -> None:
            if stored not in item.values():
                self.books.wrong.append(f"getResponse of {task_uuid} has no {stored}: {item}")

        task = {"taskType": "getResponse", "taskUUID": task_uuid}
        return Chore(task, done=check, leaves_an_entry=False)

    def send_twice(self) -> Chore:
        """Use a taskUUID a second time."""
        if not self._before:
            return self.upload()
        task_uuid, _ = self._draw.choice(self._before)
        image = base64.b64encode(small(0).data).decode()
        return Chore({**self._task("imageUpload", image=image), "taskUUID": task_uuid}, "conflictTaskUUID")

    def unknown(self) -> Chore:
        """Send a task of no known type."""
        return Chore(self._task("imageImagination"), "invalidTaskType")

    def use_unknown(self) -> Chore:
        """Use a medium that nobody has stored."""
        return Chore(self._task("caption", inputs={"image": str(uuid.uuid4())}), "failedToTransferImage")

    def _task(self, task_type: str, **fields: object) -> Json:
        return {"taskType": task_type, "taskUUID": str(uuid.uuid4()), **fields}

    def _stored(self, task: Json, stored: str, picture: Sent | None) -> None:
        self._mine.append(stored)
        self._before = [*self._before[-_REMEMBERED:], (task["taskUUID"], stored)]
        self.books.media[stored] = picture

    def _deleted(self, gone: str) -> None:
        del self.books.media[gone]
