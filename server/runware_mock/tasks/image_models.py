"""The parameters of the tasks that make pictures of pictures, video, sound and 3D, and of the form of all results."""

from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from runware_mock.tasks.models import TOOLS, Delivered, Image, Images, Inputs, Model, Prompt, Seed, Url
from runware_mock.tasks.validation import AnyCase, Invalid, Missing

# Guess: nobody keeps a result longer than a year.
_MAX_TTL_S = 366 * 86400
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

    model: Model
    positive_prompt: Prompt = ""
    negative_prompt: Prompt = ""
    number_results: int = Field(1, ge=1, le=4)
    seed: Seed | None = None
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
    price_usd: ClassVar[float] = 0.1
    default_format: ClassVar[str] = "MP4"

    task_type: Literal["videoInference"]
    frame_images: Images = None


class AudioInference(MediaInference):
    """Make sound: a second of a tone, as WAV."""

    page: ClassVar[str] = "https://runware.ai/docs/en/audio-inference/api-reference"
    price_usd: ClassVar[float] = 0.02
    default_format: ClassVar[str] = "WAV"

    task_type: Literal["audioInference"]


class ThreeDInference(MediaInference):
    """Make a 3D model: a triangle, as binary glTF."""

    page: ClassVar[str] = "https://runware.ai/docs/en/3d-inference/api-reference"
    price_usd: ClassVar[float] = 0.05
    default_format: ClassVar[str] = "GLB"

    task_type: Literal["3dInference"]


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
    price_usd: ClassVar[float] = 0.0019

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
    price_usd: ClassVar[float] = 0.0006
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
        # Before it is rounded: a large float times 255 is infinite.
        return tuple(round(max(0, min(255, part))) for part in scaled)


class ControlNetPreprocess(WithSettings):
    """Make the guide image that a ControlNet takes."""

    page: ClassVar[str] = TOOLS + "controlnet-preprocess"
    price_usd: ClassVar[float] = 0.0002

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
    price_usd: ClassVar[float] = 0.0005

    task_type: Literal["imageMasking"]
    max_detections: int = Field(6, ge=1, le=20)
    mask_padding: int = Field(4, ge=-100, le=100)
    mask_blur: int = Field(4, ge=0, le=100)
    confidence: float = Field(0.25, ge=0, le=1)


class Vectorize(Changing):
    """Make an SVG of an image, or of a prompt alone."""

    page: ClassVar[str] = TOOLS + "vectorize"
    price_usd: ClassVar[float] = 0.01

    task_type: Literal["vectorize"]
    output_format: Annotated[Literal["SVG"], AnyCase()] | None = None  # type: ignore[assignment] # narrower, on purpose
    positive_prompt: Prompt = ""
