"""The tasks that each SDK offers, as its users write them, and the ways in which they take a picture.

Each SDK's own types were read for what it offers; a combination that is missing below is one it does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.sdks.catalogue import PY_LEGACY, PY_NEW_REST, PY_NEW_WS, SDK_JS, Sdk
from tests.sdks.looks import CUT_OUT, GUIDE, MASK, REFERENCE, SEED_PICTURE, UPSCALED, VECTOR, Look

# The drivers put the picture here, in the way asked for.
PICTURE = "<picture>"
WEBHOOK = "<webhook>"
SYNC = ("sync",)
BOTH = ("sync", "async")
SYNC_OR_CALLED_BACK = ("sync", "webhook")
NO_PICTURE = ("none",)
BY_UUID = ("uuid",)
THREE_AT_ONCE = "imageInference of three"


@dataclass(frozen=True)
class Use:
    """One call of an SDK's method; without ways of its own it takes a picture in every way the SDK has."""

    title: str
    method: str
    # A single text is an argument of its own, not a request.
    arguments: Mapping[str, Any] | str
    look: Look | None = None
    deliveries: tuple[str, ...] = SYNC
    ways: tuple[str, ...] = ()
    # The class of the request, where the SDK has one.
    kind: str | None = None

    @property
    def task_type(self) -> str:
        """The word on the wire, which comes back in the answer."""
        return self.title.split(maxsplit=1)[0]

    def asked(self, delivery: str) -> Mapping[str, Any] | str:
        """Return the arguments; what cannot be delivered otherwise has no parameter for it."""
        if isinstance(self.arguments, str):
            return self.arguments
        if delivery == "webhook":
            return {**self.arguments, "webhookURL": WEBHOOK}
        return {**self.arguments, "deliveryMethod": delivery} if "async" in self.deliveries else self.arguments


def _run(title: str, arguments: Mapping[str, Any], look: Look | None = None, ways: tuple[str, ...] = ()) -> Use:
    """Return a call of runware-sdk, which has one method for all tasks."""
    return Use(title, "run", {"taskType": title.split(maxsplit=1)[0], **arguments}, look, BOTH, ways)


@dataclass(frozen=True)
class Row:
    """One use of one SDK, given a picture in one way."""

    sdk: Sdk
    use: Use
    way: str
    delivery: str

    def __str__(self) -> str:
        """Name the test after us."""
        return f"{self.sdk}-{self.name}"

    @property
    def name(self) -> str:
        """What tells us from the other rows of the SDK."""
        return "-".join((self.use.title.replace(" ", "-"), self.way, self.delivery))

    @property
    def call(self) -> Mapping[str, object]:
        """What the driver is told."""
        return {
            "name": self.name,
            "method": self.use.method,
            "kind": self.use.kind,
            "arguments": self.use.asked(self.delivery),
            "way": self.way,
        }


_OF_SEED_PICTURE = {
    "model": "runware:101@1",
    "positivePrompt": "a red ball",
    "seedImage": PICTURE,
    "width": 192,
    "height": 128,
    "outputFormat": "WEBP",
    "seed": 7,
    "strength": 0.1,
}
_OF_A_PROMPT = {
    "model": "civitai:139562@344487",
    "positivePrompt": "a ball on the beach",
    "width": 256,
    "height": 256,
    "outputFormat": "PNG",
    "seed": 7,
}
_OF_THREE = {**_OF_A_PROMPT, "numberResults": 3}
_OF_REFERENCE = {**_OF_A_PROMPT, "referenceImages": [PICTURE]}
_OF_REFERENCE_IN_INPUTS = {**_OF_A_PROMPT, "inputs": {"referenceImages": [PICTURE]}}
_OF_PEOPLE = {**_OF_A_PROMPT, "inputImages": [PICTURE], "style": "No style", "numberResults": 1}
_INPUTS = {"inputs": {"image": PICTURE}}
_INPUT_IMAGE = {"inputImage": PICTURE}
_TWICE = {"model": "runware:503@1", "upscaleFactor": 2}
_REMOVER = {"model": "runware:109@1", "outputFormat": "PNG"}
_VECTORIZER = {"model": "picsart:1@1"}
_MASKER = {"model": "runware:35@4", "outputFormat": "PNG"}
_PROMPT = {"prompt": "a red ball", "promptMaxLength": 64, "promptVersions": 1}

_PY_LEGACY_WAYS = ("uuid", "file", "url", "data_uri", "base64")
# No imageMasking, no controlNetPreprocess, no `delete` of media; deliveryMethod for inference and upscaling alone. The
# other tasks take a webhookURL, after which getResponse knows imageBackgroundRemoval and vectorize, and refuses the
# rest by itself; but vectorize is then sent twice over with one taskUUID.
_PY_LEGACY_USES = (
    Use("imageInference of seedImage", "imageInference", _OF_SEED_PICTURE, SEED_PICTURE, BOTH, kind="IImageInference"),
    Use(
        "imageInference of inputs.referenceImages",
        *("imageInference", _OF_REFERENCE_IN_INPUTS, REFERENCE, BOTH),
        kind="IImageInference",
    ),
    Use(THREE_AT_ONCE, "imageInference", _OF_THREE, None, BOTH, NO_PICTURE, "IImageInference"),
    Use("imageUpscale of inputImage", "imageUpscale", _TWICE | _INPUT_IMAGE, UPSCALED, BOTH, kind="IImageUpscale"),
    Use("imageUpscale of inputs.image", "imageUpscale", _TWICE | _INPUTS, UPSCALED, BOTH, kind="IImageUpscale"),
    Use(
        "imageBackgroundRemoval",
        *("imageBackgroundRemoval", _REMOVER | _INPUT_IMAGE, CUT_OUT, SYNC_OR_CALLED_BACK),
        kind="IImageBackgroundRemoval",
    ),
    Use("vectorize", "imageVectorize", _VECTORIZER | _INPUTS, VECTOR, kind="IVectorize"),
    Use("photoMaker", "photoMaker", _OF_PEOPLE, REFERENCE, kind="IPhotoMaker"),
    Use("imageCaption", "imageCaption", _INPUT_IMAGE, kind="IImageCaption"),
    Use("promptEnhance", "promptEnhance", _PROMPT, kind="IPromptEnhance", ways=NO_PICTURE),
    Use("mediaStorage upload", "uploadMedia", PICTURE, ways=_PY_LEGACY_WAYS[1:]),
)

# Strings go out as they are given; a local file is read by the SDK's file_to_data_uri or file_to_base64.
_PY_NEW_WAYS = ("uuid", "data_uri", "base64", "url")
# Its types have no photoMaker but as a parameter of inference, and no inputImage.
_PY_NEW_USES = (
    _run("imageInference of seedImage", _OF_SEED_PICTURE, SEED_PICTURE),
    _run("imageInference of inputs.referenceImages", _OF_REFERENCE_IN_INPUTS, REFERENCE),
    _run(THREE_AT_ONCE, _OF_THREE, ways=NO_PICTURE),
    _run("upscale", _TWICE | _INPUTS, UPSCALED),
    _run("removeBackground", _REMOVER | _INPUTS, CUT_OUT),
    # Its types have no preprocessor either: the model is named after it.
    _run("controlNetPreprocess", {"model": "runware:controlnet-preprocess@canny", **_INPUTS}, GUIDE),
    _run("imageMasking", _MASKER | _INPUTS, MASK),
    _run("vectorize", _VECTORIZER | _INPUTS, VECTOR),
    _run("caption", {"model": "runware:152@2", **_INPUTS}),
    _run("promptEnhance", {"model": "runware:llama-3-1-8b@prompt-enhancer", **_PROMPT}, ways=NO_PICTURE),
    Use("mediaStorage upload", "media_storage", {"operation": "upload", "media": PICTURE}, ways=_PY_NEW_WAYS[1:]),
    Use("mediaStorage delete", "media_storage", {"operation": "delete", "media": PICTURE}, ways=BY_UUID),
)

# In Node it reads no files.
_SDK_JS_WAYS = ("uuid", "data_uri", "base64", "url")
# No deliveryMethod in its types of vectorize, imageMasking, photoMaker and promptEnhance.
_SDK_JS_USES = (
    Use("imageInference of seedImage", "imageInference", _OF_SEED_PICTURE, SEED_PICTURE, BOTH),
    Use("imageInference of referenceImages", "imageInference", _OF_REFERENCE, REFERENCE, BOTH),
    Use(THREE_AT_ONCE, "imageInference", _OF_THREE, None, BOTH, NO_PICTURE),
    Use("upscale of inputImage", "upscale", _TWICE | _INPUT_IMAGE, UPSCALED, BOTH),
    Use("upscale of inputs.image", "upscale", _TWICE | _INPUTS, UPSCALED, BOTH),
    Use("removeBackground of inputImage", "removeBackground", _REMOVER | _INPUT_IMAGE, CUT_OUT, BOTH),
    Use("removeBackground of inputs.image", "removeBackground", _REMOVER | _INPUTS, CUT_OUT, BOTH),
    Use(
        "imageControlNetPreProcess",
        *("controlNetPreprocess", {"preProcessorType": "canny", **_INPUT_IMAGE}, GUIDE, BOTH),
    ),
    # The one whose deliveryMethod stays at home: sent as sync, and polled for all the same.
    Use("caption of inputImage", "caption", _INPUT_IMAGE, deliveries=BOTH),
    Use("caption of inputs.image", "caption", _INPUTS, deliveries=BOTH),
    Use("imageMasking", "imageMasking", _MASKER | _INPUT_IMAGE, MASK),
    Use("vectorize", "vectorize", _VECTORIZER | _INPUTS, VECTOR),
    Use("photoMaker", "photoMaker", _OF_PEOPLE, REFERENCE),
    Use("promptEnhance", "promptEnhance", _PROMPT, ways=NO_PICTURE),
    Use("mediaStorage upload", "mediaStorage", {"operation": "upload", "media": PICTURE}, ways=_SDK_JS_WAYS[1:]),
    Use("mediaStorage delete", "mediaStorage", {"operation": "delete", "media": PICTURE}, ways=BY_UUID),
)

ROWS = tuple(
    Row(sdk, use, way, delivery)
    for sdk, uses, ways in (
        (PY_LEGACY, _PY_LEGACY_USES, _PY_LEGACY_WAYS),
        (PY_NEW_WS, _PY_NEW_USES, _PY_NEW_WAYS),
        (PY_NEW_REST, _PY_NEW_USES, _PY_NEW_WAYS),
        (SDK_JS, _SDK_JS_USES, _SDK_JS_WAYS),
    )
    for use in uses
    for way in use.ways or ways
    for delivery in use.deliveries
)
OF_PICTURES = tuple(row for row in ROWS if row.use.look is not None)
OF_THREE = tuple(row for row in ROWS if row.use.title == THREE_AT_ONCE)
OF_CAPTIONS = tuple(row for row in ROWS if row.use.task_type in {"caption", "imageCaption"})
OF_PROMPTS = tuple(row for row in ROWS if row.use.task_type == "promptEnhance")
OF_UPLOADS = tuple(row for row in ROWS if row.use.title == "mediaStorage upload")
OF_DELETIONS = tuple(row for row in ROWS if row.use.title == "mediaStorage delete")
