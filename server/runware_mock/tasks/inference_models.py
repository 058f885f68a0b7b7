"""The parameters of the tasks that draw from a prompt, with the limits that differ between models."""

import re
from typing import Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from runware_mock.protocol.messages import head_of
from runware_mock.tasks.image_models import WithOutput
from runware_mock.tasks.models import AIR, LONGEST_PROMPT, MAX_SEED, Image, Images, Inputs, Model, Prompt, Seed
from runware_mock.tasks.validation import Invalid, Missing, integer_rule, text_rule


class Family(NamedTuple):
    """Sides in pixels, as bounds and a multiple; the characters of a prompt; the only sizes, if they are listed."""

    low_px: int
    high_px: int
    multiple_px: int
    shortest_prompt: int
    longest_prompt: int
    sizes_px: tuple[tuple[int, int], ...] = ()


def _upright_too(sizes_px: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return tuple(dict.fromkeys(size for given in sizes_px for size in (given, given[::-1])))


# "positivePrompt 2 to 3000"; "width: divisible by 64, between 128 and 2048", of the documentation of image inference.
CLASSIC = Family(128, 2048, 64, 2, 3000)
# google:4@2 has the longest documented prompt. Guess: larger sides than these only cost memory here.
ANY = Family(1, 8192, 1, 1, 45_000)
# "The following dimension combinations are supported", of the pages of FLUX.1 Kontext [pro] and [max], and of [dev],
# which has eight more.
_KONTEXT_PX = ((1568, 672), (1392, 752), (1248, 832), (1184, 880), (1024, 1024))
_MORE_KONTEXT_PX = ((1504, 688), (1456, 720), (1328, 800), (1104, 944))
# The first pattern that matches the whole model counts.
_FAMILIES = {
    r"runware:10[01]@1": CLASSIC,
    # Seen live: "between 128 and 2048, in multiples of '16'"; the documentation of FLUX.2 says "1-32000" characters.
    r"runware:400@\d+|(runware:)?z-image.*": Family(128, 2048, 16, 1, 32_000),
    r"bfl:[34]@1": ANY._replace(sizes_px=_upright_too(_KONTEXT_PX)),
    r"runware:106@1": ANY._replace(sizes_px=_upright_too(_KONTEXT_PX + _MORE_KONTEXT_PX)),
    # Their documentation: "2 to 32000".
    r"openai:.*": Family(1, 8192, 1, 2, 32_000),
}
_STRICT = {
    # Guess: models differ. A live error of another provider's said "between 256 and 16383, in multiples of '1'".
    r"(runware|civitai|rundiffusion):.*": CLASSIC,
    r".*": Family(128, 4096, 1, 2, 3000),
}


def family_of(model: str, *, is_strict: bool) -> Family:
    """Return the limits of a model; `is_strict` narrows them to what the older documentation says of all models."""
    families = _STRICT if is_strict else _FAMILIES
    return next((family for pattern, family in families.items() if re.fullmatch(pattern, model)), ANY)


class Sized(WithOutput):
    """A picture drawn from a prompt, in a size that the model supports."""

    model: Model = ""
    positive_prompt: Prompt = ""
    negative_prompt: Prompt = ""
    width: int | None = Field(None, ge=1, le=8192)
    height: int | None = Field(None, ge=1, le=8192)
    number_results: int = Field(1, ge=1, le=20)
    seed: Seed | None = Field(None, description="Chosen by the mock if it is left out.")
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
            raise Invalid(*integer_rule("The seed", 1, MAX_SEED))
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
        """Require a prompt and a size, unless pictures give them; a live error says: a size "or referenceImages"."""
        if not (self.positive_prompt or self.has_pictures):
            if "positive_prompt" not in self.model_fields_set:
                raise Missing("positivePrompt", "string")
            raise Invalid(*text_rule("positivePrompt", 2, LONGEST_PROMPT), parameter="positivePrompt")
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
    price_usd: ClassVar[float] = 0.0013

    task_type: Literal["imageInference"]
    model: Model
    strength: float = Field(0.8, ge=0, le=1)
    steps: int = Field(20, ge=1, le=100)
    cfg_scale: float = Field(7, ge=0, le=50, alias="CFGScale")


class PhotoMaker(Sized):
    """Draw the people of `inputImages` in a new picture."""

    page: ClassVar[str] = "https://runware.ai/docs/en/photomaker/api-reference"
    price_usd: ClassVar[float] = 0.0043

    task_type: Literal["photoMaker"]
    positive_prompt: Prompt = Field(min_length=1)
    strength: int = Field(15, ge=15, le=50)
    input_images: Images = None

    @model_validator(mode="after")
    def _has_people(self) -> Self:
        if not (self.input_images or self.inputs):
            raise Missing("inputImages", "array")
        return self


def _is_strict(info: ValidationInfo) -> bool:
    return bool((info.context or {}).get("is_strict"))
