"""The parameters of the tasks that make pictures, video, sound and 3D."""

import re
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from runware_mock.protocol.messages import head_of
from runware_mock.tasks.model_families import family_of
from runware_mock.tasks.models import AIR, LONGEST_MODEL, TOOLS, Delivered, Image, Images, Inputs, Url
from runware_mock.tasks.validation import AnyCase, Invalid, Missing, integer_rule, text_rule

# Guess: nobody keeps a result longer than a year.
_MAX_TTL_S = 366 * 86400
_MAX_SEED = 2**63 - 1
_LONGEST_PROMPT = 45_000
_MODEL = "An AIR identifier such as runware:101@1."
_RGBA_CHANNELS = 4

Settings = Annotated[Any, WithJsonSchema({"type": "object", "description": "Options of the model, in the newer form."})]
OutputWord = Annotated[Literal["URL", "base64Data", "dataURI"], AnyCase()]
_OUTPUT_WORD = {"type": "string", "enum": ["URL", "base64Data", "dataURI"]}
PictureFormat = Annotated[Literal["JPG", "JPEG", "PNG", "WEBP"], AnyCase()]

PreprocessorName = Literal[
    "canny",
    "depth",
    "mlsd",
    "normalbae",
    "openpose",
    "tile",
    "seg",
    "lineart",
    "lineart_anime",
    "shuffle",
    "scribble",
    "softedge",
]
Preprocessor = Annotated[PreprocessorName, AnyCase()]


def _whole(value: object) -> object:
    """Return 2 for 2.0: both Python SDKs type some whole numbers as floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _only_url() -> list[OutputWord]:
    return ["URL"]


class WithOutput(Delivered):
    """The form of a task's results: "`outputType` URL (default), base64Data, dataURI"; "`ttl` >= 60 s"."""

    default_format: ClassVar[str] = "JPG"

    output_format: PictureFormat | None = None
    output_type: Annotated[
        list[OutputWord],  # the older Python SDK may send several
        BeforeValidator(lambda given: (given or ["URL"]) if isinstance(given, list) else [given]),
        WithJsonSchema({"anyOf": [_OUTPUT_WORD, {"type": "array", "items": _OUTPUT_WORD}]}),
    ] = Field(
        default_factory=_only_url,
        description="Over WebSocket, choose URL for large results: runware-sdk and others close the connection when a "
        "frame is longer than 1 MiB.",
    )
    output_quality: int = Field(95, ge=20, le=99)
    ttl: int | None = Field(None, ge=60, le=_MAX_TTL_S, description="Seconds after which the result is deleted.")
    upload_endpoint: Url | None = None

    @property
    def extension(self) -> str:
        """The extension of a result's URL: "upper-cased when outputFormat was given upper-case; `.jpg` default"."""
        return str(self.sent.get("outputFormat") or self.default_format.lower())


class MediaInference(WithOutput):
    """The parameters shared by tasks whose stand-in is not a picture."""

    model: str = Field(min_length=1, max_length=LONGEST_MODEL, description=_MODEL)
    positive_prompt: str = Field("", max_length=_LONGEST_PROMPT)
    negative_prompt: str = Field("", max_length=_LONGEST_PROMPT)
    number_results: int = Field(1, ge=1, le=4)
    seed: int | None = Field(None, ge=0, le=_MAX_SEED)
    inputs: Inputs = None
    reference_images: Images = None
    output_format: Annotated[str, Field(max_length=16)] | None = None  # type: ignore[assignment] # formats of other kinds

    @property
    def extension(self) -> str:
        """The extension of the one format that there is."""
        return self.default_format.lower()


class VideoInference(MediaInference):
    """Make a video: two seconds of a test picture, as MP4."""

    page: ClassVar[str] = "https://runware.ai/docs/en/video-inference/api-reference"
    default_format: ClassVar[str] = "MP4"

    task_type: Literal["videoInference"]
    frame_images: Images = None


class AudioInference(MediaInference):
    """Make sound: a second of a tone, as WAV."""

    page: ClassVar[str] = "https://runware.ai/docs/en/audio-inference/api-reference"
    default_format: ClassVar[str] = "WAV"

    task_type: Literal["audioInference"]


class ThreeDInference(MediaInference):
    """Make a 3D model: a triangle, as binary glTF."""

    page: ClassVar[str] = "https://runware.ai/docs/en/3d-inference/api-reference"
    default_format: ClassVar[str] = "GLB"

    task_type: Literal["3dInference"]


class Sized(WithOutput):
    """A picture drawn from a prompt, in a size that the model supports."""

    model: str = Field("", min_length=1, max_length=LONGEST_MODEL, description=_MODEL)
    positive_prompt: str = Field("", max_length=_LONGEST_PROMPT)
    negative_prompt: str = Field("", max_length=_LONGEST_PROMPT)
    width: int | None = Field(None, ge=1, le=8192)
    height: int | None = Field(None, ge=1, le=8192)
    number_results: int = Field(1, ge=1, le=20)
    seed: int | None = Field(None, ge=0, le=_MAX_SEED, description="Chosen by the mock if it is left out.")
    check_nsfw: bool = Field(False, alias="checkNSFW")  # noqa: FBT003 - a default
    safety: Any = None
    resolution: Any = None
    inputs: Inputs = None
    seed_image: Image = None
    mask_image: Image = None
    reference_images: Images = None

    @property
    def has_pictures(self) -> bool:
        """Whether the task names pictures, so that it needs neither a prompt nor a size."""
        return not {"seed_image", "reference_images", "inputs"}.isdisjoint(self.model_fields_set)

    @field_validator("width", "height", mode="before")
    @classmethod
    def _fits_the_model(cls, side_px: object, info: ValidationInfo) -> object:
        family = family_of(info.data.get("model", ""), is_strict=_is_strict(info))
        low_px, high_px, multiple_px, *_ = family
        if type(side_px) is not int or not low_px <= side_px <= high_px or side_px % multiple_px:
            # As seen live: "Image width must be an integer value between 256 and 16383, in multiples of '1'."
            raise Invalid(*integer_rule(f"Image {info.field_name}", low_px, high_px, multiple_px))
        return side_px

    @field_validator("seed", mode="after")
    @classmethod
    def _is_a_seed(cls, seed: int, info: ValidationInfo) -> int:
        if _is_strict(info) and seed == 0:
            raise Invalid(*integer_rule("The seed", 1, _MAX_SEED))
        return seed

    @field_validator("positive_prompt", "negative_prompt", mode="before")
    @classmethod
    def _suits_the_model(cls, prompt: object, info: ValidationInfo) -> object:
        family = family_of(info.data.get("model", ""), is_strict=_is_strict(info))
        shortest, longest = family.shortest_prompt, family.longest_prompt
        if not isinstance(prompt, str) or len(prompt) > longest or 0 < len(prompt) < shortest:
            name = "positivePrompt" if info.field_name == "positive_prompt" else "negativePrompt"
            raise Invalid(*text_rule(name, shortest, longest))
        return prompt

    @field_validator("model", mode="after")
    @classmethod
    def _is_a_model(cls, model: str, info: ValidationInfo) -> str:
        if _is_strict(info) and not re.fullmatch(AIR, model):
            raise Invalid(f"It must be an AIR identifier such as 'runware:101@1'. The value is {head_of(model)}.")
        return model

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        """Require a prompt and a size, unless there are pictures to take them from.

        A live error requires a size "or referenceImages".
        """
        if not (self.positive_prompt or self.has_pictures):
            if "positive_prompt" not in self.model_fields_set:
                raise Missing("positivePrompt", "string")
            raise Invalid(*text_rule("positivePrompt", 2, _LONGEST_PROMPT), parameter="positivePrompt")
        if {"reference_images", "inputs", "resolution"}.isdisjoint(self.model_fields_set):
            for name, side_px in (("width", self.width), ("height", self.height)):
                if side_px is None:
                    raise Missing(name, "integer")
        return self

    @model_validator(mode="after")
    def _has_a_size_of_the_list(self, info: ValidationInfo) -> Self:
        sizes_px = family_of(self.model, is_strict=_is_strict(info)).sizes_px
        if sizes_px and (self.width, self.height) not in ((None, None), *sizes_px):
            known = ", ".join(f"{width_px}x{height_px}" for width_px, height_px in sizes_px)
            raise Invalid(f"The model {self.model} supports these sizes only: {known}.", parameter="width")
        return self


class ImageInference(Sized):
    """Draw pictures: labelled gradients, based on the seed image if there is one."""

    # From the documentation link of a live error.
    page: ClassVar[str] = "https://runware.ai/docs/en/image-inference/api-reference"

    task_type: Literal["imageInference"]
    model: str = Field(min_length=1, max_length=LONGEST_MODEL, description=_MODEL)
    strength: float = Field(0.8, ge=0, le=1)
    steps: int = Field(20, ge=1, le=100)
    cfg_scale: float = Field(7, ge=0, le=50, alias="CFGScale")


class PhotoMaker(Sized):
    """Draw the people of `inputImages` in a new picture."""

    page: ClassVar[str] = "https://runware.ai/docs/en/photomaker/api-reference"

    task_type: Literal["photoMaker"]
    positive_prompt: str = Field(min_length=1, max_length=_LONGEST_PROMPT)
    strength: int = Field(15, ge=15, le=50)
    input_images: Images = None

    @model_validator(mode="after")
    def _has_people(self) -> Self:
        if not (self.input_images or self.inputs):
            raise Missing("inputImages", "array")
        return self


class Changing(WithOutput):
    """A picture made from another one, given in `inputImage` or in `inputs`."""

    input_image: Image = None
    inputs: Inputs = None


class WithSettings(Changing):
    """The newer form has a model's options in `settings`; the older Python SDK sends them as parameters of the task."""

    settings: Settings = None

    @model_validator(mode="before")
    @classmethod
    def _take_settings(cls, sent: Any) -> Any:
        settings = sent.get("settings")
        return {**sent, **settings} if isinstance(settings, dict) else sent


class Upscale(Changing):
    """Enlarge an image two, three or four times."""

    page: ClassVar[str] = TOOLS + "upscale"

    task_type: Literal["upscale", "imageUpscale"]
    upscale_factor: Annotated[int, Field(ge=2, le=4), BeforeValidator(_whole)] | None = None
    target_megapixels: Any = None
    settings: Settings = None

    @model_validator(mode="after")
    def _says_how_large(self) -> Self:
        if {"upscale_factor", "target_megapixels", "inputs", "settings"}.isdisjoint(self.model_fields_set):
            raise Missing("upscaleFactor", "integer")
        return self


class RemoveBackground(WithSettings):
    """Cut out the foreground; "default PNG"."""

    page: ClassVar[str] = TOOLS + "remove-background"
    default_format: ClassVar[str] = "PNG"

    task_type: Literal["removeBackground", "imageBackgroundRemoval"]
    return_only_mask: bool = False
    rgba: Annotated[
        tuple[int, int, int, int] | None,
        WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}),
    ] = None

    @field_validator("rgba", mode="before")
    @classmethod
    def _four_bytes(cls, value: Any) -> object:
        if (
            not isinstance(value, list)
            or len(value) != _RGBA_CHANNELS
            or not all(isinstance(part, (int, float)) for part in value)
        ):
            raise Invalid("It must be an array of four numbers: red, green, blue and alpha.")
        # Alpha is documented from 0 to 1, and seen up to 255.
        scaled = (*value[:3], value[3] * 255 if value[3] <= 1 else value[3])
        return tuple(max(0, min(255, round(part))) for part in scaled)


class ControlNetPreprocess(WithSettings):
    """Make the guide image that a ControlNet takes."""

    page: ClassVar[str] = TOOLS + "controlnet-preprocess"

    task_type: Literal["controlNetPreprocess", "imageControlNetPreProcess"]
    model: Any = None
    preprocessor: Preprocessor | None = None
    pre_processor_type: Preprocessor | None = None
    low_threshold_canny: int = Field(100, ge=0, le=255)
    high_threshold_canny: int = Field(200, ge=0, le=255)
    include_hands_and_face_open_pose: bool = False

    @property
    def kind(self) -> str:
        """The kind of guide; the newer form names a model for it: "runware:controlnet-preprocess@lineart-anime"."""
        return str(self.preprocessor or self.pre_processor_type or self._kind_of_model())

    @model_validator(mode="after")
    def _names_a_kind(self) -> Self:
        if self.preprocessor is self.pre_processor_type is None and self._kind_of_model() is None:
            raise Missing("preProcessorType", "string")
        return self

    def _kind_of_model(self) -> str | None:
        provider, _, named = str(self.model or "").partition("@")
        kind = named.replace("-", "_")
        return kind if provider == "runware:controlnet-preprocess" and kind in get_args(PreprocessorName) else None


class ImageMasking(WithSettings):
    """Detect objects in an image, and return a mask and their boxes."""

    page: ClassVar[str] = TOOLS + "image-masking"

    task_type: Literal["imageMasking"]
    max_detections: int = Field(6, ge=1, le=20)
    mask_padding: int = Field(4, ge=-100, le=100)
    mask_blur: int = Field(4, ge=0, le=100)
    confidence: float = Field(0.25, ge=0, le=1)


class Vectorize(Changing):
    """Make an SVG of an image, or of a prompt alone."""

    page: ClassVar[str] = TOOLS + "vectorize"

    task_type: Literal["vectorize"]
    output_format: Annotated[Literal["SVG"], AnyCase()] | None = None  # type: ignore[assignment] # narrower, on purpose
    positive_prompt: str = Field("", max_length=_LONGEST_PROMPT)


def _is_strict(info: ValidationInfo) -> bool:
    return bool((info.context or {}).get("is_strict"))
