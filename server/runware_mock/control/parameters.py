"""What each task takes, learned by asking the task: there is no second list of parameters that could lag behind.

A task is run with parameters that are watched, and what it would write is thrown away. It shows which it looks for; how
it refuses a bad value tells the kind, the limits and the words that are allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from msgspec.structs import replace

from runware_mock.accounts import Account
from runware_mock.images.codec import Codec
from runware_mock.images.limits import Budget
from runware_mock.protocol.errors import Refusal
from runware_mock.services import Caller, Services
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.tasks import TASKS
from runware_mock.tasks.inputs import IMAGE_FIELDS
from runware_mock.tasks.parameters import MODEL, URL

Schema = dict[str, Any]

# The smallest PNG, of one pixel.
EXAMPLE_IMAGE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
IMAGE: Schema = {"type": "string", "description": "A UUID, a URL, a data URI or base64.", "examples": [EXAMPLE_IMAGE]}
_IMAGE = {"$ref": "#/components/schemas/Image"}
# Texts of a form of their own, by one that has it.
_FORMS: Mapping[str, Schema] = {
    "example:1@1": {"pattern": f"^{MODEL.pattern}$"},
    "https://example.com/": {"pattern": f"^{URL.pattern}$", "format": "uri"},
    EXAMPLE_IMAGE: {"description": "A URL, a data URI or base64.", "examples": [EXAMPLE_IMAGE]},
}
_OWN = ("taskType", "taskUUID")
# Where the newer SDKs put images.
_NEWER_FORM = "inputs"
_CALLER = Caller(Account(ALL_ACCOUNTS, ""), "rest", "http://127.0.0.1")
_MANY = 1000
_SHORT = 3


@dataclass
class Taken:
    """A schema for each parameter of a task, and what it cannot do without: of each group at least one.

    `refusal` is why every such task is refused.
    """

    parameters: dict[str, Schema] = field(default_factory=dict)
    required: list[list[str]] = field(default_factory=list)
    refusal: str | None = None


class _Accepted(Exception):
    """The task has found nothing to refuse."""


class _NoCanvas(Codec):
    """Lets no task come as far as to draw, which takes long."""

    def drawing(self, width_px: int, height_px: int) -> NoReturn:
        """End the task."""
        raise _Accepted(width_px, height_px)


class _Watched(dict[str, Any]):
    """A task that knows what was looked for in it."""

    def __init__(self, given: Mapping[str, Any], seen: dict[str, None]) -> None:
        super().__init__(given)
        self._seen = seen

    def get(self, name: str, default: Any = None) -> Any:
        self._seen[name] = None
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self._seen[str(name)] = None
        return super().__contains__(name)


class Asking:
    """Asks one task."""

    def __init__(self, task_type: str, services: Services) -> None:
        self._run = TASKS[task_type].run
        settings = services.settings
        self._services = replace(services, codec=_NoCanvas(settings.formats, Budget(settings.memory_budget(), 1)))
        self._seen: dict[str, None] = {}
        self._given: dict[str, Any] = {"taskType": task_type, "taskUUID": "00000000-0000-4000-8000-000000000000"}

    def taken(self) -> Taken:
        """Return all that the task takes."""
        taken, needed = Taken(), []
        while (refusal := self._refused({})) is not None and refusal.code.startswith("missing"):
            name = str(refusal.parameter)
            needed.append(name)
            self._given[name] = self._good(name, self._learned(name))
        if refusal is not None and refusal.parameter == "taskType":
            taken.refusal = refusal.message
        # Only now nothing else is missing that would be refused first.
        for name in dict.fromkeys([*needed, *self._seen, *sorted(IMAGE_FIELDS)]):
            schema = self._learned(name)
            if name not in _OWN and (schema or name in self._seen):
                taken.parameters[name] = schema
        for name in needed:
            others = [other for other in taken.parameters if other != name and self._replaces(other, name, taken)]
            taken.required.append([name, *others])
        return taken

    def _refused(self, more: Mapping[str, Any], without: str = "") -> Refusal | None:
        task = {name: value for name, value in {**self._given, **more}.items() if name != without}
        try:
            self._run(_Watched(task, self._seen), self._services, _CALLER)
        except Refusal as refusal:
            return refusal
        except _Accepted:
            pass
        return None

    def _refused_as(self, name: str, value: object) -> Refusal | None:
        """Return the refusal of this very parameter."""
        refusal = self._refused({name: value})
        return refusal if refusal is not None and refusal.parameter == name else None

    def _learned(self, name: str) -> Schema:
        """Return the schema of a parameter, empty where it may be anything."""
        # Nobody takes a number for an image, nor an object for a text, a number or a flag.
        if name in IMAGE_FIELDS and self._refused_as(name, 1) is not None:
            too_many = self._refused_as(name, [1] * _MANY)
            most = too_many.context.get("max") if too_many else None
            return {"anyOf": [_IMAGE, {"type": "array", "items": _IMAGE, "maxItems": most}]} if most else _IMAGE
        refusal = self._refused_as(name, {})
        if refusal is None:
            return {}
        limits = refusal.context
        if "allowedValues" in limits:
            return {"type": "string", "enum": limits["allowedValues"]}
        if refusal.type != "string":
            names = {"min": "minimum", "max": "maximum", "multiplier": "multipleOf"}
            return {"type": refusal.type, **{names[one]: limits[one] for one in names if one in limits}}
        if "max" in limits:
            return {"type": "string", "minLength": limits["min"], "maxLength": limits["max"]}
        forms = (form for value, form in _FORMS.items() if self._refused_as(name, value) is None)
        return {"type": "string", **next(forms, {})}

    def _good(self, name: str, schema: Schema) -> object:
        """Return a value that the task does not refuse, the smallest where there are several."""
        smallest = -(-schema.get("minimum", 0) // schema.get("multipleOf", 1)) * schema.get("multipleOf", 1)
        candidates = [*schema.get("enum", ()), smallest, "x" * _SHORT, *_FORMS]
        if name in IMAGE_FIELDS:
            candidates = [EXAMPLE_IMAGE]
        elif name == _NEWER_FORM:
            candidates = [{"image": EXAMPLE_IMAGE}]
        return next((value for value in candidates if self._refused_as(name, value) is None), None)

    def _replaces(self, other: str, name: str, taken: Taken) -> bool:
        """Tell whether a task that has the other parameter can do without this one."""
        refusal = self._refused({other: self._good(other, taken.parameters[other])}, without=name)
        return refusal is None or not (refusal.code.startswith("missing") and refusal.parameter == name)
