"""A failure in one file: an account's exported state, with what is needed to look at it and to repeat it elsewhere."""

import base64
import io
import json
import platform
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from runware_mock.client import ControlClient
from runware_mock.connection import Unreachable, send
from runware_mock.control_models import Entry
from runware_mock.testing import RunwareMock
from runware_mock.version import __version__

_ABOUT = "bundle.json"
_STATE = "state.json"
_FORMAT = 1
_PAGE = 1000
_ANSWERED_WITHIN_S = 10
_REPLAYED = ("task", "lookup")
# Where an answer has the UUID of a medium.
_UUIDS = ("imageUUID", "mediaUUID", "maskImageUUID", "guideImageUUID", "videoUUID", "audioUUID")


class BundleUnusable(Exception):
    """The file is no bundle, or one of another version; the message says which."""


@dataclass(frozen=True)
class Bundle:
    """An exported archive, and what else is known: `about` has the version, the settings and perhaps the test."""

    about: Mapping[str, Any]
    archive: bytes


def pack(control: ControlClient, **about: Any) -> bytes:
    """Return a bundle of the account; `about` is what a reader should know besides. Secret settings are left out."""
    file = io.BytesIO(control.export())
    known = {"bundle": _FORMAT, "version": __version__, "python": platform.python_version()}
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(_ABOUT, json.dumps({**known, "settings": dict(control.status().settings), **about}, indent=2))
    return file.getvalue()


def unpack(data: bytes) -> Bundle:
    """Read a bundle; raises BundleUnusable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            about = json.loads(archive.read(_ABOUT)) if _ABOUT in names else None
    except (zipfile.BadZipFile, ValueError, RuntimeError) as error:
        raise BundleUnusable(f"this is not a bundle: {error}") from None
    if not isinstance(about, dict) or _STATE not in names:
        raise BundleUnusable("this is not a bundle: write one with `runware-mock export --bundle FILE`")
    if about.get("bundle") != _FORMAT:
        raise BundleUnusable(f"bundle: this version reads format {_FORMAT}, not {about.get('bundle')!r}")
    return Bundle(about, data)


def entries(control: ControlClient) -> list[Entry]:
    """Return the tasks in an account's journal, oldest first."""
    found: list[Entry] = []
    before = None
    while True:
        page = control.journal.list(limit=_PAGE, before=before, kind="all")
        found += [entry for entry in page if entry.kind in _REPLAYED]
        before = page.next_before
        if before is None:
            return found[::-1]


def at_the_start(bundle: Bundle) -> bytes:
    """Return the archive without what its tasks have done: their media and journal, and the count of each plan."""
    with zipfile.ZipFile(io.BytesIO(bundle.archive)) as archive:
        state = json.loads(archive.read(_STATE))
        made = {uuid for row in state["journal"] for uuid in _uuids_of(row.get("answer"))}
        state["medium"] = [row for row in state["medium"] if row["uuid"] not in made]
        used = {row["content_id"] for row in state["medium"]}
        state["content"] = [row for row in state["content"] if row["id"] in used]
        state["journal"] = []
        for row in state["fault"]:
            row |= {"seen": 0, "met": 0, "tokens": None, "counted_at": None}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as written:
            written.writestr(_STATE, json.dumps(state))
            for row in state["content"]:
                written.writestr(row["bytes"], archive.read(row["bytes"]))
    return out.getvalue()


def replay(bundle: Bundle, recorded: list[Entry], fresh: RunwareMock) -> str:
    """Send the recorded tasks to an account that has the state of their start; return the first difference, or nothing.

    All are sent over REST, one by one, and the clock is not moved.
    """
    pictures = _pictures(bundle)
    renamed: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {fresh.api_key}", "Content-Type": "application/json"}
    for number, entry in enumerate(recorded, 1):
        name = f"task {number} of {len(recorded)}, {entry.task_type} {entry.task_uuid}"
        text = json.dumps(_whole(entry, pictures))
        for old, new in renamed.items():
            text = text.replace(old, new)
        if '"chars":' in text and '"head":' in text:
            return f"{name}: not replayed, as the journal has kept only the beginning of it"
        # A fault may break the connection; what the mock did stands in its journal.
        with suppress(Unreachable):
            send("POST", fresh.rest_url, f"[{text}]".encode(), headers, timeout_s=_ANSWERED_WITHIN_S)
        done = entries(fresh.control)
        if len(done) < number:
            return f"{name}: {entry.outcome} then, but the fresh mock has not run it"
        if difference := _difference(entry, done[number - 1]):
            return f"{name}: {difference}"
        renamed |= zip(_uuids_of(entry.answer), _uuids_of(done[number - 1].answer), strict=False)
    return ""


def _difference(then: Entry, now: Entry) -> str:
    for what, before, after in (
        ("outcome", then.outcome, now.outcome),
        ("codes", [item.get("code") for item in then.answer], [item.get("code") for item in now.answer]),
        ("fields", [sorted(item) for item in then.answer], [sorted(item) for item in now.answer]),
        ("faults", [met.kind for met in then.faults], [met.kind for met in now.faults]),
    ):
        if before != after:
            return f"{what} {before} then, {after} now"
    return ""


def _whole(entry: Entry, pictures: Mapping[str, str]) -> dict[str, Any]:
    """Return a task with its picture, of which a journal keeps only the beginning and the length."""
    own = [pictures[uuid] for uuid in _uuids_of(entry.answer) if uuid in pictures]

    def whole(value: Any) -> Any:
        if not (isinstance(value, dict) and "head" in value):
            return value
        # A task that was refused has made no medium; the same picture may have been accepted at another try.
        scheme = str(value["head"]).partition(",")[0] + "," if "," in str(value["head"]) else ""
        same = (one for one in pictures.values() if _is_it(f"{scheme}{one}", value))
        return next(iter([*own, *same]), value)

    return {name: whole(value) for name, value in entry.task.items()}


def _is_it(text: str, kept: Mapping[str, Any]) -> bool:
    return text.startswith(str(kept["head"])) and len(text) == kept.get("chars")


def _pictures(bundle: Bundle) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(bundle.archive)) as archive:
        state = json.loads(archive.read(_STATE))
        files = {row["id"]: row["bytes"] for row in state["content"]}
        return {
            row["uuid"]: base64.b64encode(archive.read(files[row["content_id"]])).decode() for row in state["medium"]
        }


def _uuids_of(answer: Any) -> Iterator[str]:
    items = json.loads(answer) if isinstance(answer, str) else answer or ()
    for item in items:
        yield from (item[name] for name in _UUIDS if isinstance(item.get(name), str))
