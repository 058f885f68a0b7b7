"""The one catalogue of failures, in Runware's own words if they are known.

"Item fields: `code`, `message`, `parameter`, `taskType`, `taskUUID`, `documentation`"; `type`, `min`, `max` have been
seen in live answers too. Codes marked `# Guess:` have no transcript of the real service behind them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from runware_mock.protocol.redaction import without_real_keys

_INDEX = re.compile(r"\[\d+\]")

_UPLOAD_PAGE = "https://runware.ai/docs/platform/image-upload"
_INVALID = "Invalid value for '{parameter}' parameter. "
_MISSING = "Missing value for '{parameter}' parameter. {hint}"
_FORMS = "The image must be specified in one of the following formats: "
_UPLOADED_FORMS = "a data URI string, a base64 encoded image, or a publicly accessible URL. {hint}"
_UUID_FORM = "a UUID v4 string of a previously uploaded or generated image, "


class CatalogueEntry(Struct, frozen=True):
    """One row: HTTP status, message with the placeholders `{parameter}` and `{hint}`, and the fields that go with it.

    `page` is where the documentation describes the parameter; `code` is the code that is sent, if the row's key only
    names a pattern of codes.
    """

    status: int
    message: str
    parameter: str | None = None
    type: str | None = "string"
    page: str | None = None
    code: str | None = None


CATALOGUE: Mapping[str, CatalogueEntry] = {
    # "401 no valid API key"; the text is documented.
    "invalidApiKey": CatalogueEntry(401, "Invalid API key. Get one at https://my.runware.ai/signup", "apiKey"),
    # Guess: the code is in the SDKs and was seen live; its text was not.
    "missingApiKey": CatalogueEntry(401, "Missing API key. {hint}", "apiKey"),
    # Guess: there is no transcript of a body that is not JSON, or not an array of tasks.
    "invalidJson": CatalogueEntry(400, "Invalid JSON in request body. {hint}", type="array"),
    "invalidRequest": CatalogueEntry(
        400, "Invalid request. The body must be a non-empty array of task objects. {hint}", None, "array"
    ),
    # Guess: for an unknown task type; the code was seen live only for a missing one.
    "invalidTaskType": CatalogueEntry(400, _INVALID + "{hint}", "taskType"),
    "invalidTaskUUID": CatalogueEntry(
        400, _INVALID + "It must be a valid UUID v4 string. {hint}", "taskUUID", page=_UPLOAD_PAGE
    ),
    "conflictTaskUUID": CatalogueEntry(
        400,
        "The taskUUID provided is already in use. It must be unique per task. {hint}",
        "taskUUID",
        page=_UPLOAD_PAGE,
    ),
    # Guess: `missing<Parameter>` is the pattern of the known codes.
    "missingImage": CatalogueEntry(400, _MISSING, "image", page=_UPLOAD_PAGE),
    # Guess: there is no transcript of a refused upload; the text is that of a refused 'seedImage'.
    "invalidImage": CatalogueEntry(400, f"{_INVALID}{_FORMS}{_UPLOADED_FORMS}", "image", page=_UPLOAD_PAGE),
    # The two patterns of the known codes, such as missingPositivePrompt and invalidWidth.
    "missingParameter": CatalogueEntry(400, _MISSING, code="missing{Parameter}"),
    "invalidParameter": CatalogueEntry(400, _INVALID + "{hint}", code="invalid{Parameter}"),
    # The text is that seen live for 'seedImage'; the code follows the parameter.
    "invalidInputImage": CatalogueEntry(
        400, f"{_INVALID}{_FORMS}{_UUID_FORM}{_UPLOADED_FORMS}", code="invalid{Parameter}"
    ),
    # Seen live with reference images; the other lists of images follow.
    "invalidInputImagesCount": CatalogueEntry(400, _INVALID + "{hint}", type="array", code="invalid{Parameter}Count"),
    # Guess: these codes are in the SDKs' tables; status and text are not known. Only planned faults use them.
    "rateLimitExceeded": CatalogueEntry(429, "Rate limit exceeded. {hint}", None, None),
    # Guess: no storage quota is documented; the SDKs treat every code that contains "Quota" as one.
    "storageQuotaExceeded": CatalogueEntry(402, "Storage quota exceeded. {hint}", None, None),
    "insufficientCredits": CatalogueEntry(402, "Insufficient credits. {hint}", None, None),
    "accountSuspended": CatalogueEntry(403, "The account is suspended. {hint}", None, None),
    "insufficientPermissions": CatalogueEntry(403, "The API key lacks the permission. {hint}", None, None),
    "contentPolicyViolation": CatalogueEntry(400, "The content violates the content policy. {hint}", None, None),
    "mediaExpired": CatalogueEntry(404, "The requested media has expired. {hint}", "mediaUUID"),
    "timeoutProvider": CatalogueEntry(504, "The provider took too long. {hint}", None, None),
    "internalServerError": CatalogueEntry(500, "Internal server error. {hint}", None, None),
    "serviceUnavailable": CatalogueEntry(503, "Service unavailable. {hint}", None, None),
    # Guess: the code is in the SDKs' tables, its text is not known.
    "unsupportedTaskType": CatalogueEntry(400, "Unsupported task type. {hint}", "taskType"),
    # Text and status as seen live, many times.
    "failedToTransferImage": CatalogueEntry(
        400, _INVALID + "Failed to transfer the provided image. {hint}", page=_UPLOAD_PAGE
    ),
    # Guess: the code is in the SDKs' tables; the real service reportedly answers an empty `data`, which hangs clients.
    "taskNotFound": CatalogueEntry(404, "No task with this taskUUID was found. {hint}", "taskUUID"),
    "mediaNotFound": CatalogueEntry(404, "The requested media was not found. {hint}", "mediaUUID"),
    # Guess: nothing is documented about bodies that are too long, unknown paths or methods.
    "requestTimeout": CatalogueEntry(408, "The request took too long to arrive. {hint}", None, None),
    "requestTooLarge": CatalogueEntry(413, "The request is too large. {hint}", None, None),
    "notFound": CatalogueEntry(404, "Not found. {hint}", None, None),
    "methodNotAllowed": CatalogueEntry(405, "Method not allowed. {hint}", None, None),
    # Ours alone: a mock on a developer's machine admits no foreign web page.
    "originNotAllowed": CatalogueEntry(403, "This origin may not call runware-mock. {hint}", None, None),
    # Ours alone, so that a fault of the mock is never taken for an answer of the service: see OURS.
    "mockInternalError": CatalogueEntry(
        500, "runware-mock itself failed; this is no answer of the service. {hint}", None, None
    ),
    "mockStorageUnavailable": CatalogueEntry(
        503, "runware-mock cannot use its object storage; this is no answer of the service. {hint}", None, None
    ),
}
OURS = frozenset(("mockInternalError", "mockStorageUnavailable"))


@dataclass(eq=False)
class Refusal(Exception):
    """A failure on its way to the client: a row of the catalogue, filled in."""

    code: str
    status: int
    message: str
    parameter: str | None
    type: str | None
    documentation: str | None
    context: Mapping[str, object] = field(default_factory=dict)
    # After how long a retry may succeed.
    retry_after_s: int | None = None

    def but(self, **changed: Any) -> "Refusal":
        """Return a copy, with these fields changed."""
        return replace(self, **changed)

    @property
    def is_ours(self) -> bool:
        """Whether the mock failed, not the task."""
        return self.code in OURS

    def item(self, task_type: str | None, task_uuid: str | None) -> dict[str, object]:
        """Return the error object of the wire; fields without a value are left out."""
        fields: dict[str, object | None] = {
            "code": self.code,
            "message": self.message,
            "parameter": self.parameter,
            "type": self.type,
            "documentation": self.documentation,
            "taskType": task_type,
            "taskUUID": task_uuid,
            **self.context,
        }
        return {name: value for name, value in fields.items() if value is not None}


def refuse(
    code: str,
    hint: str = "",
    *,
    parameter: str | None = None,
    kind: str | None = None,
    page: str | None = None,
    **context: object,
) -> Refusal:
    """Return the catalogue's row `code`, filled in; `hint` says what was wrong with this value."""
    entry = CATALOGUE[code]
    parameter = parameter or entry.parameter
    page = page or entry.page
    return Refusal(
        entry.code.format(Parameter=_capitalised(parameter or "")) if entry.code else code,
        entry.status,
        without_real_keys(entry.message.format(parameter=parameter, hint=hint).rstrip()),
        parameter,
        kind or entry.type,
        f"{page}#request-{_anchor(parameter)}" if page and parameter else None,
        context,
    )


def _capitalised(parameter: str) -> str:
    """Return the last name of a path as codes write it: `ReferenceImages` for `inputs.referenceImages[0]`."""
    name = _INDEX.sub("", parameter).rpartition(".")[2]
    return name[:1].upper() + name[1:]


def _anchor(parameter: str) -> str:
    """Return the anchor on the page: "parameter lower-cased, dots → dashes"."""
    return quote(_INDEX.sub("", parameter).lower().replace(".", "-"))


def retold(item: Mapping[str, Any], **context: object) -> Refusal:
    """Return the refusal that an error object was made from, with fields added."""
    code = item["code"]
    return Refusal(
        code,
        CATALOGUE.get(code, CATALOGUE["invalidParameter"]).status,
        item["message"],
        item.get("parameter"),
        item.get("type"),
        item.get("documentation"),
        {"taskType": item["taskType"], **context},
    )
