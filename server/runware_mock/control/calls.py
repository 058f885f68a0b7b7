"""What all control calls share: why they fail, and the transaction in which they change things."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection, String, cast, func, select

from runware_mock.protocol.redaction import without_real_keys
from runware_mock.services import Services
from runware_mock.storage.models import control_version, fault, journal, medium, snapshot

# As many as a column of ids can hold.
LARGEST_ID = 2**63 - 1
Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
Code = Literal["badField", "notFound", "forbidden", "conflict", "timeout", "crash", "unavailable"]


@dataclass(eq=False)
class ControlRefused(Exception):
    """Why nothing was done; `field` is the dotted path of what is wrong, such as `faults[0].kind`."""

    message: str
    field: str | None = None
    code: Code = "badField"
    status: int = 400

    def __post_init__(self) -> None:
        """Mask keys: a path that is not known may be anything."""
        self.message = without_real_keys(self.message)
        self.field = None if self.field is None else without_real_keys(self.field)

    @property
    def sentence(self) -> str:
        """The message, with the field in front unless it names it."""
        return self.message if not self.field or self.field in self.message else f"{self.field}: {self.message}"


def not_found(what: str, field: str | None = None) -> ControlRefused:
    """Return the refusal of a call for something that does not exist."""
    return ControlRefused(what, field, "notFound", 404)


def conflict(what: str, field: str | None = None) -> ControlRefused:
    """Return the refusal of a call for something that exists already."""
    return ControlRefused(what, field, "conflict", 409)


def dotted(location: Sequence[str | int]) -> str:
    """Write the location of a pydantic error as a path: `("faults", 0, "kind")` is `faults[0].kind`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")


def nearest(given: str, known: Iterable[str]) -> str:
    """Return a hint at what was meant, or at all that there is."""
    near = get_close_matches(given, list(known), 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


_LOOK = select(
    select(func.max(journal.c.id)).scalar_subquery(),
    select(func.min(journal.c.id)).scalar_subquery(),
    select(func.max(medium.c.id)).scalar_subquery(),
    select(func.min(medium.c.id)).scalar_subquery(),
    select(func.max(medium.c.last_used_at)).scalar_subquery(),
    select(control_version.c.version).scalar_subquery(),
    select(func.max(snapshot.c.id)).scalar_subquery(),
    select(func.sum(fault.c.met)).scalar_subquery(),
)
# Where many write at once, what is committed last may have the smaller number; but every commit changes the snapshot.
_LOOK_AT_ALL = select(cast(func.pg_current_snapshot(), String))


def change_token(services: Services) -> tuple[object, ...]:
    """Return numbers of which at least one changes with every task, purge and control call."""
    with services.database.reading() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        return tuple(connection.execute(_LOOK if is_sqlite else _LOOK_AT_ALL).one())


@contextmanager
def changing(services: Services, account_id: int) -> Iterator[Connection]:
    """Open a transaction on an account; when it is committed this process knows of the change, the others find out."""
    with services.database.writing(account_id) as connection:
        yield connection
        services.clocks.changed(connection)
    services.refresh()
