"""The parameters of every task type: names, bounds and documentation, for both the checks and OpenAPI.

Tasks that make pictures have theirs in image_models.py and inference_models.py.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from runware_mock.protocol.messages import UUID_V4
from runware_mock.tasks.validation import AnyCase, Missing, TaskModel

TOOLS = "https://runware.ai/docs/en/tools/"
AIR = r"[\w.-]+:[\w.-]+@[\w.-]+"
LONGEST_MODEL = 255
LONGEST_PROMPT = 45_000
MAX_SEED = 2**63 - 1
_UUID_V4: dict[str, Any] = {"pattern": f"^{UUID_V4.pattern.replace('a-f', 'a-fA-F').replace('89ab', '89abAB')}$"}

# The smallest PNG, of one pixel.
EXAMPLE_IMAGE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
# inputs.py checks images when it loads them, wherever they are in a task.
IMAGE_SCHEMA = {
    "type": "string",
    "description": "A UUID of a stored image, a URL, a data URI or base64.",
    "examples": [EXAMPLE_IMAGE],
}
Image = Annotated[Any, WithJsonSchema(IMAGE_SCHEMA)]
Images = Annotated[Any, WithJsonSchema({"type": "array", "items": IMAGE_SCHEMA, "maxItems": 16})]
Inputs = Annotated[Any, WithJsonSchema({"type": "object", "description": "Images, in the newer form of a task."})]
Model = Annotated[
    str, Field(min_length=1, max_length=LONGEST_MODEL, description="An AIR identifier such as runware:101@1.")
]
Prompt = Annotated[str, Field(max_length=LONGEST_PROMPT)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Url = Annotated[str, Field(pattern=r"^[hH][tT][tT][pP][sS]?://[^/\s]+\S*$", description="an http or https URL")]

# Documented parameters that change nothing here.
OTHER_PARAMETERS = frozenset(
    (
        *("acceleration", "acceleratorOptions", "acePlusPlus", "advancedFeatures", "clipSkip", "controlNet"),
        *("duration", "embeddings", "fps", "guidanceEndStep", "instantID", "ipAdapters", "layerDiffuse", "lora"),
        *("maskMargin", "outpaint", "promptWeighting", "providerSettings", "puLID", "refiner", "scheduler"),
        *("startStep", "endStep", "tea_cache", "teaCache", "usePromptWeighting", "vae", "settings", "model"),
    )
)


class AnyTask(TaskModel):
    """What every task has."""

    page: ClassVar[str] = "https://runware.ai/docs/en/getting-started/introduction"
    # Of one result. Guess: prices are public, but depend on the model; these are of the right order.
    price_usd: ClassVar[float] = 0.0

    task_type: str
    task_uuid: str = Field(alias="taskUUID", json_schema_extra=_UUID_V4, description="A UUID v4, unique to the task.")

    @property
    def result_count(self) -> int:
        """How many results the task asks for."""
        return getattr(self, "number_results", 1)


class ImageUpload(AnyTask):
    """Store an image. The answer holds its imageUUID and imageURL."""

    page: ClassVar[str] = "https://runware.ai/docs/platform/image-upload"

    task_type: Literal["imageUpload"]
    image: Image = Field(None)


class MediaStorage(AnyTask):
    """Store or delete a medium: image, video, audio or 3D."""

    page: ClassVar[str] = "https://runware.ai/docs/platform/media-storage"

    task_type: Literal["mediaStorage"]
    # One SDK leaves the operation out.
    operation: Annotated[Literal["upload", "delete"], AnyCase()] = "upload"
    media: str = Field(
        min_length=1, max_length=2**31, description="A URL, a data URI or base64; to delete, the UUID of the medium."
    )


class GetResponse(AnyTask):
    """Ask for the result of the earlier task that `taskUUID` names."""

    task_type: Literal["getResponse"]


class GetTaskDetails(AnyTask):
    """Ask for the request and response of the earlier task that `taskUUID` names."""

    task_type: Literal["getTaskDetails"]


class AccountManagement(AnyTask):
    """Ask for the account's organization, balance, API keys and usage."""

    page: ClassVar[str] = "https://runware.ai/docs/en/utilities/account-management"

    task_type: Literal["accountManagement"]
    operation: Literal["getDetails"]


class ModelSearch(AnyTask):
    """Search the models that other tasks can use."""

    page: ClassVar[str] = "https://runware.ai/docs/en/utilities/model-search"

    task_type: Literal["modelSearch"]
    search: str = Field("", max_length=1000)
    tags: Annotated[
        list[str],
        BeforeValidator(lambda given: given if isinstance(given, list) else [given]),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = Field(default_factory=list, max_length=100)
    category: str = Field("", max_length=64)
    type: str = Field("", max_length=64)
    architecture: str = Field("", max_length=64)
    conditioning: str = Field("", max_length=64)
    visibility: Annotated[Literal["all", "public", "private"], AnyCase()] = "all"
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=1_000_000)


class Delivered(AnyTask):
    """How an answer is delivered, which the runner heeds."""

    delivery_method: Annotated[Literal["sync", "async"], AnyCase()] = "sync"
    webhook_url: Url | None = Field(None, alias="webhookURL")
    include_cost: bool = False


class ModelUpload(Delivered):
    """Upload a model of your own. Its file is not downloaded."""

    page: ClassVar[str] = "https://runware.ai/docs/en/image-inference/model-upload"

    task_type: Literal["modelUpload"]
    category: Annotated[Literal["checkpoint", "lora", "lycoris", "controlnet", "vae", "embeddings"], AnyCase()]
    architecture: str = Field(min_length=1, max_length=64)
    format: Annotated[Literal["safetensors"], AnyCase()]
    air: str = Field(pattern=f"^{AIR}$", max_length=LONGEST_MODEL, description="an AIR identifier such as acme:1@1")
    unique_identifier: str = Field(min_length=1, max_length=1000)
    name: str = Field(min_length=1, max_length=1000)
    version: str = Field(min_length=1, max_length=1000)
    download_url: Url = Field(alias="downloadURL")
    type: str = Field("", max_length=64)
    conditioning: str = Field("", max_length=64)
    private: bool = False
    tags: Any = None
    hero_image_url: Any = Field(None, alias="heroImageURL")
    comment: Any = None
    short_description: Any = None
    default_weight: Any = None
    default_steps: Any = None
    default_scheduler: Any = None
    default_cfg: Any = Field(None, alias="defaultCFG")
    default_strength: Any = None
    positive_trigger_words: Any = None
    negative_trigger_words: Any = None

    @model_validator(mode="after")
    def _has_a_type(self) -> Self:
        """The type is "only required when `category` is set to either `checkpoint` or `embeddings`"."""
        if self.category in ("checkpoint", "embeddings") and not self.type:
            raise Missing("type", "string")
        return self


class Caption(Delivered):
    """Describe an image in words."""

    page: ClassVar[str] = TOOLS + "caption"
    price_usd: ClassVar[float] = 0.0006

    task_type: Literal["caption", "imageCaption"]
    prompt: Any = None
    input_image: Image = None
    input_images: Images = None
    inputs: Inputs = None


class TextInference(Delivered):
    """Answer the last message with a text."""

    page: ClassVar[str] = "https://runware.ai/docs/en/text-inference/api-reference"
    price_usd: ClassVar[float] = 0.001

    task_type: Literal["textInference"]
    # "`stream` only for text": over REST as server-sent events.
    delivery_method: Annotated[Literal["sync", "async", "stream"], AnyCase()] = "sync"  # type: ignore[assignment] # one more
    model: str = Field(min_length=1, max_length=LONGEST_MODEL)
    messages: Any = None
    positive_prompt: str = ""
    number_results: int = Field(1, ge=1, le=4)
    inputs: Inputs = None

    @property
    def question(self) -> str:
        """The text of the last message, or the prompt."""
        last = self.messages[-1] if isinstance(self.messages, list) and self.messages else None
        text = last.get("content") if isinstance(last, dict) else last
        return (text if isinstance(text, str) and text else self.positive_prompt or "your message")[:300]


class PromptEnhance(Delivered):
    """Improve a prompt: "text (one item per version)"."""

    page: ClassVar[str] = TOOLS + "prompt-enhancer"
    price_usd: ClassVar[float] = 0.0004

    task_type: Literal["promptEnhance"]
    prompt: str = Field(min_length=1, max_length=300)
    prompt_versions: int = Field(1, ge=1, le=5)
    prompt_max_length: int = Field(400, ge=5, le=400, description="In tokens.")

    @property
    def result_count(self) -> int:
        """How many results the task asks for."""
        return self.prompt_versions
