"""List stored media, add one with an age, delete one, and forecast when each expires."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, select, true, update
from sqlalchemy.exc import IntegrityError

from runware_mock import control_models as models
from runware_mock.clock import in_ms
from runware_mock.control.calls import ControlRefused, Id, changing, conflict, not_found
from runware_mock.control_models import instant
from runware_mock.images.formats import FORMATS, Picture, PictureRefused, detect_format, url_path
from runware_mock.services import Services
from runware_mock.storage import contents, media
from runware_mock.storage.contents import FACTS, StoredContent
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.storage.models import content, medium
from runware_mock.tasks.uploads import stored_form

State = Literal["alive", "expired", "all"]
# How many media a forecast lists.
_LISTED = 1000
# Of how many media a list of formats and task types is made: to look at a million would take seconds.
_LOOKED_AT = 2000
# What stands for the task type of a medium that no task stored.
FIXTURE = "fixture"
# As the stand-in of vectorization writes it.
_SVG_SIZE = re.compile(rb'<svg [^>]*?width="(\d{1,5})" height="(\d{1,5})"')
_MEDIA = select(
    medium.c.id.label("medium_id"),
    medium.c.uuid,
    medium.c.account_id,
    medium.c.task_type,
    medium.c.created_at,
    medium.c.last_used_at,
    medium.c.expires_at,
    *FACTS,
).join_from(medium, content)
_FACTS_FROM = 7


@dataclass(frozen=True)
class Filter:
    """Which media to list: those that agree with every field given; their UUID contains `text`."""

    format: str | None = None
    task_type: str | None = None
    text: str | None = None
    state: State = "alive"
    before: Id | None = None

    def condition(self, services: Services, account_id: int) -> ColumnElement[bool]:
        """Return the filter as SQL, but for `before`."""
        conditions = [_own(account_id)]
        if self.format:
            conditions.append(content.c.format == self.format.lower().replace("jpg", "jpeg"))
        if self.task_type:
            conditions.append(medium.c.task_type == self.task_type)
        if self.text:
            conditions.append(medium.c.uuid.contains(self.text.lower(), autoescape=True))
        if self.state != "all":
            over = _over(services)
            conditions.append(over if self.state == "expired" else ~over)
        return and_(*conditions)


def list_media(services: Services, account_id: int, base_url: str, chosen: Filter, limit: int) -> models.Media:
    """Return media, the newest first."""
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        condition = chosen.condition(services, account_id)
        page = _MEDIA.where(condition).order_by(medium.c.id.desc()).limit(limit)
        if chosen.before is not None:
            page = page.where(medium.c.id < chosen.before)
        rows = connection.execute(page).all()
        total = _count(services, connection, account_id, chosen)
    next_before = rows[-1].medium_id if len(rows) == limit else None
    shown = tuple(_medium(services, row, base_url) for row in rows)
    return models.Media(media=shown, next_before=next_before, total=total)


def _count(services: Services, connection: Connection, account_id: int, chosen: Filter) -> int:
    def counted(state: State) -> int:
        count = select(func.count()).select_from(medium)
        if chosen.format:
            # Only then: with many media the join takes most of the time.
            count = count.join(content)
        return connection.scalar(count.where(replace(chosen, state=state).condition(services, account_id))) or 0

    # Whether a medium is alive can only be told by reading it; what has expired stands in an index.
    return counted("all") - counted("expired") if chosen.state == "alive" else counted(chosen.state)


def get_medium(services: Services, account_id: int, base_url: str, uuid: str) -> models.Medium:
    """Return one medium, alive or expired."""
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        row = connection.execute(_MEDIA.where(_own(account_id), medium.c.uuid == uuid.lower())).first()
    if row is None:
        raise not_found(f"no medium {uuid[:60]} is stored", "uuid")
    return _medium(services, row, base_url)


def formats_and_task_types(services: Services) -> tuple[list[str], list[str]]:
    """Return which formats and task types there are among the newest media."""
    newest = select(medium.c.content_id, medium.c.task_type).order_by(medium.c.id.desc()).limit(_LOOKED_AT).subquery()
    pairs = select(content.c.format, newest.c.task_type).distinct().join(content, content.c.id == newest.c.content_id)
    with services.database.reading() as connection:
        rows = connection.execute(pairs).all()
    return sorted({row[0] for row in rows}), sorted({row[1] for row in rows})


@retried
def expire_medium(services: Services, account_id: int, uuid: str) -> None:
    """Let a medium expire at this instant of its account's clock; the next purge deletes it."""
    with changing(services, account_id) as connection:
        services.clocks.refresh(connection)
        own = _own(account_id) & (medium.c.uuid == uuid.lower())
        owner_id = connection.scalar(select(medium.c.account_id).where(own))
        if owner_id is None:
            raise not_found(f"no medium {uuid[:60]} is stored", "uuid")
        connection.execute(update(medium).where(own).values(expires_at=services.now_at(owner_id)))


@retried
def delete_medium(services: Services, account_id: int, uuid: str) -> models.Deleted:
    """Delete one medium."""
    with changing(services, account_id) as connection:
        content_id = _removed(connection, account_id, uuid)
        if content_id is None:
            raise not_found(f"no medium {uuid[:60]} is stored", "uuid")
        contents.delete_unused(connection, [content_id])
    return models.Deleted(deleted=1)


def add_medium(
    services: Services,
    account_id: int,
    data: bytes,
    *,
    uuid: str | None,
    age: timedelta | None = None,
    replaces: bool = False,
    unchanged: bool = False,
) -> str:
    """Store a file as if it had been uploaded `age` ago, or `unchanged` as a task's result; return its UUID.

    `replaces` puts it in place of the account's medium of that UUID.
    """
    try:
        if unchanged and detect_format(data) == "SVG":
            picture = Picture("svg", *_svg_size(data), 1, data)
        else:
            picture = stored_form(data, services.codec, unchanged=unchanged)
    except PictureRefused as error:
        raise ControlRefused(str(error), "body") from None
    placed = services.blobs.place(hashlib.sha256(data).digest(), picture)

    @retried
    def stored() -> str:
        with services.database.writing(account_id) as connection:
            services.clocks.refresh(connection)
            now_at = services.now_at(account_id)
            content_id = contents.add(connection, placed, now_at).id
            replaced = _removed(connection, account_id, uuid) if replaces else None
            chosen = services.new_uuid(connection, account_id) if uuid is None else check_free(connection, uuid, "uuid")
            media.add(connection, account_id, content_id, chosen, now_at - in_ms(age or timedelta()), task_type=FIXTURE)
            if replaced is not None:
                contents.delete_unused(connection, [replaced])
        return chosen

    try:
        return stored()
    except IntegrityError:
        raise conflict(f"there is already a medium {uuid}", "uuid") from None


def _svg_size(data: bytes) -> tuple[int, int]:
    found = _SVG_SIZE.search(data)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _removed(connection: Connection, account_id: int, uuid: str | None) -> int | None:
    """Remove a medium, if it is there; return its content."""
    own = (medium.c.uuid == str(uuid).lower()) & _own(account_id)
    return connection.scalar(delete(medium).where(own).returning(medium.c.content_id))


def check_free(connection: Connection, uuid: str, field: str) -> str:
    """Return a UUID as it is stored; raises ControlRefused if it is not a UUID or is taken."""
    try:
        chosen = str(UUID(uuid))
    except ValueError:
        raise ControlRefused(f"{uuid[:60]!r} is not a UUID", field) from None
    if connection.execute(select(medium.c.id).where(medium.c.uuid == chosen)).first():
        raise conflict(f"there is already a medium {chosen}", field)
    return chosen


def forecast(services: Services, account_id: int, at: int | None) -> models.Forecast:
    """Return for each medium, the next to expire first, when that will be, and what a purge at `at` would delete.

    Without `at` each account's clock says when: a purge now.
    """
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        own = _own(account_id)
        rows = connection.execute(_MEDIA.where(own).order_by(medium.c.last_used_at, medium.c.id).limit(_LISTED)).all()
        expired = media.count_gone(connection, own & _over(services, at))

    def seen_at(owner_id: int) -> int:
        return services.now_at(owner_id) if at is None else at

    return models.Forecast(
        at=instant(seen_at(account_id)),
        media=tuple(
            models.Expiring(
                uuid=row.uuid,
                last_used_at=instant(row.last_used_at),
                expires_at=instant(expires_at),
                time_left=timedelta(milliseconds=max(0, expires_at - seen_at(row.account_id))),
                would_be_purged=expires_at <= seen_at(row.account_id),
            )
            for row in rows
            for expires_at in (_expires_at(services, row),)
        ),
        would_purge=models.WouldPurge(media=expired.media, bytes=expired.size_bytes),
    )


def _expires_at(services: Services, row: Row[Any]) -> int:
    by_use_at = row.last_used_at + in_ms(services.settings.retention)
    return int(by_use_at if row.expires_at is None else min(by_use_at, row.expires_at))


def _own(account_id: int) -> ColumnElement[bool]:
    return medium.c.account_id == account_id if account_id != ALL_ACCOUNTS else true()


def _over(services: Services, at: int | None = None) -> ColumnElement[bool]:
    """Return the condition that a medium has expired by an instant, or by its account's clock."""
    shown_at = services.clocks.shown_at(medium.c.account_id) if at is None else at
    return media.is_over(shown_at, in_ms(services.settings.retention))


def _medium(services: Services, row: Row[Any], base_url: str) -> models.Medium:
    facts_of_it: Sequence[Any] = row[_FACTS_FROM:]
    stored = StoredContent(*facts_of_it)
    expires_at = _expires_at(services, row)
    return models.Medium(
        id=row.medium_id,
        uuid=row.uuid,
        account=row.account_id,
        task_type=row.task_type,
        url=base_url + url_path(row.uuid, stored.format),
        kind=FORMATS[stored.format].kind,
        format=stored.format,
        width_px=stored.width_px,
        height_px=stored.height_px,
        frames=stored.frames,
        size_bytes=stored.size_bytes,
        sent=models.SentFile(**stored.audit()["sent"]),
        downsized=stored.size_bytes != stored.sent_size_bytes or stored.width_px != stored.sent_width_px,
        created_at=instant(row.created_at),
        last_used_at=instant(row.last_used_at),
        expires_at=instant(expires_at),
        time_left=timedelta(milliseconds=max(0, expires_at - services.now_at(row.account_id))),
    )
