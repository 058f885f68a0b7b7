"""The file of an upload, in whichever form it is sent: bytes, a URL to fetch, or the URL of a stored medium."""

import hashlib
from collections.abc import Callable, Collection
from functools import partial

from sqlalchemy import Connection

from runware_mock.images.formats import unaccepted
from runware_mock.images.picture import FetchFailed, Picture
from runware_mock.images.source import UrlSource, read_source
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.services import Caller, Services
from runware_mock.storage import contents, media
from runware_mock.storage.contents import StoredContent
from runware_mock.tasks.inputs import FILE_GONE, stored_uuid
from runware_mock.tasks.work import ContentGone

# Writes the content, unless it is there already, and returns it.
StoreContent = Callable[[Connection], StoredContent]


def store_source(
    value: str,
    parameter: str,
    services: Services,
    caller: Caller,
    form: Callable[[bytes], Picture],
    formats: Collection[str],
    invalid: Callable[[str], Refusal],
) -> StoreContent:
    """Load the file that `value` stands for; return the function that stores it in a transaction.

    `form` turns its bytes into what is stored, and accepts `formats`. Raises PictureRefused, or the refusal of a URL
    that cannot be fetched; the returned function raises what `invalid` returns.
    """
    source = read_source(value)
    now_at = services.now_at(caller.account.id)
    if not isinstance(source, UrlSource):
        return _storing_bytes(source, now_at, services, form, formats)
    if uuid := stored_uuid(source.url, caller.base_url):
        _refuse_gone(uuid, parameter, services, caller)
        return partial(_use_stored, uuid, parameter, services, caller, formats, invalid)
    try:
        return _storing_bytes(services.fetch(source.url), now_at, services, form, formats)
    except FetchFailed as error:
        raise refuse("failedToTransferImage", str(error), parameter=parameter) from error


def check_source(value: str, form: Callable[[bytes], Picture]) -> None:
    """Check a source as far as possible without the network; raises PictureRefused."""
    source = read_source(value)
    if not isinstance(source, UrlSource):
        form(source)


def _storing_bytes(
    data: bytes,
    now_at: int,
    services: Services,
    form: Callable[[bytes], Picture],
    formats: Collection[str],
) -> StoreContent:
    digest = hashlib.sha256(data).digest()
    with services.database.reading() as connection:
        known = contents.find(connection, digest)
    if known is None or known.format not in formats or not services.blobs.has(known.object_key):
        placed = services.blobs.place(digest, form(data))
        return lambda connection: contents.add(connection, placed, now_at)

    def reuse(connection: Connection) -> StoredContent:
        held = contents.hold(connection, digest)
        if held is None or held.format not in formats:
            raise ContentGone
        return held

    return reuse


def _refuse_gone(uuid: str, parameter: str, services: Services, caller: Caller) -> None:
    if not services.blobs.are_objects:
        return
    with services.database.reading() as connection:
        file = media.read_own(connection, caller.account.id, uuid, services.moment(caller.account.id))
    if file is not None and not services.blobs.has(file.object_key):
        raise refuse("failedToTransferImage", FILE_GONE, parameter=parameter)


def _use_stored(
    uuid: str,
    parameter: str,
    services: Services,
    caller: Caller,
    formats: Collection[str],
    invalid: Callable[[str], Refusal],
    connection: Connection,
) -> StoredContent:
    used = media.use(connection, caller.account.id, uuid, services.moment(caller.account.id))
    if used is None:
        raise refuse("failedToTransferImage", "No medium of this UUID is stored.", parameter=parameter)
    if used.format not in formats:
        # A medium that one task stores may not suit another: a sound is not an image.
        raise invalid(unaccepted(used.format, formats))
    return used
