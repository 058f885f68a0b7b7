"""An account's whole state as one file: a zip of its rows and of the files they point at."""

import io
import zipfile
from collections.abc import Mapping

import msgspec
from sqlalchemy import select

from runware_mock import control_models as models
from runware_mock.control import account_state
from runware_mock.control.archived import Archived, Content, read_state
from runware_mock.control.changes import changing
from runware_mock.control.clocks import LATEST_AT
from runware_mock.control.refusals import ControlRefused, conflict
from runware_mock.images.formats import FORMATS, detect_format
from runware_mock.images.picture import Picture, PictureRefused, Sent
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.blobs import ObjectGone
from runware_mock.storage.contents import FILE, Placed, StoredFile
from runware_mock.storage.database import retried
from runware_mock.storage.models import content, medium
from runware_mock.tasks.media_storage import stored_form

_STATE = "state.json"


def export(services: Services, account_id: int) -> bytes:
    """Return the archive of an account."""
    out = io.BytesIO()
    with services.database.viewing() as connection, zipfile.ZipFile(out, "w") as archive:
        taken = account_state.take(connection, account_id)
        kept = []
        for content_id in sorted({row["content_id"] for row in taken["medium"]}):
            row = connection.execute(select(content).where(content.c.id == content_id)).mappings().one()
            file = f"media/{row['sent_sha256'].hex()}.{FORMATS[row['format']].extension}"
            try:
                archive.writestr(file, services.blobs.read(StoredFile(*(row[column.name] for column in FILE))))
            except ObjectGone:
                uuid = next(one["uuid"] for one in taken["medium"] if one["content_id"] == content_id)
                raise conflict(
                    f"the file of medium {uuid} is gone from the object storage: delete it", "media"
                ) from None
            facts = {name: value for name, value in row.items() if name != "object_key"}
            kept.append({**facts, "sent_sha256": row["sent_sha256"].hex(), "bytes": file})
        archive.writestr(_STATE, msgspec.json.encode({**taken, "content": kept}))
    return out.getvalue()


def load(services: Services, account_id: int, data: bytes) -> models.Loaded:
    """Give an account the state of an archive, in place of what it had; return how much that is.

    The whole archive is checked before anything is stored.
    """
    state, files = _read(data, services.settings.max_message_bytes)
    real_at = services.clocks.real_at()
    for index, clock in enumerate(state.account_clock):
        if clock.frozen_at is None and not 0 <= real_at + clock.offset_ms <= LATEST_AT:
            raise ControlRefused("a clock shows the years 1970 to 9799", f"account_clock[{index}].offset_ms")
    for row in state.content:
        _prove(row, files[row.bytes], services)
    # Their files are where they are to stay before any row points at them.
    placed = {row.id: _placed(services, row, files[row.bytes]) for row in state.content}
    _put(services, account_id, state, placed)
    return models.Loaded(media=len(state.medium), journal=len(state.journal), plans=len(state.fault_plan))


def _read(data: bytes, limit_bytes: int) -> tuple[Archived, dict[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_size(archive, limit_bytes)
            state = read_state(archive.read(_STATE))
            return state, {row.bytes: archive.read(row.bytes) for row in state.content}
    except ControlRefused:
        raise
    except Exception as error:
        # What a broken zip can raise is not documented.
        raise ControlRefused(f"this is no archive that runware-mock has exported: {error!r}"[:200], "body") from error


def _check_size(archive: zipfile.ZipFile, limit_bytes: int) -> None:
    """Let no archive grow beyond what could have been sent; those that are exported are not compressed at all."""
    if sum(part.file_size for part in archive.infolist()) > limit_bytes:
        raise ControlRefused("it inflates to more than --max-message-bytes", "body", status=413)


def _prove(row: Content, data: bytes, services: Services) -> None:
    """Check that a file is what its row says, by the same rules as an upload; raises ControlRefused."""
    try:
        # A result, never an upload.
        is_result = row.format == "svg" and detect_format(data) == "SVG"
        picture = None if is_result else stored_form(data, services.codec)
    except PictureRefused as error:
        raise ControlRefused(f"{row.bytes}: {error}", "body") from None
    if picture is not None:
        found = (picture.data, picture.format, picture.width_px, picture.height_px)
        if found != (data, row.format, row.width_px, row.height_px):
            raise ControlRefused(f"{row.bytes} is not the {row.format} that it is said to be", "body")


def _placed(services: Services, row: Content, data: bytes) -> Placed:
    sent = Sent(row.sent_size_bytes, row.sent_width_px, row.sent_height_px, row.orientation)
    picture = Picture(row.format, row.width_px, row.height_px, row.frames, data, sent)
    return services.blobs.place(bytes.fromhex(row.sent_sha256), picture)


@retried
def _put(services: Services, account_id: int, state: Archived, placed: Mapping[int, Placed]) -> None:
    with changing(services, account_id) as connection:
        before = list(connection.scalars(select(medium.c.content_id).where(medium.c.account_id == account_id)))
        ids = {row.id: contents.add(connection, placed[row.id], row.created_at).id for row in state.content}
        rows = state.model_dump(exclude={"content"})
        for row in rows["medium"]:
            row["content_id"] = ids[row["content_id"]]
        account_state.put(connection, account_id, rows)
        contents.delete_unused(connection, before)
