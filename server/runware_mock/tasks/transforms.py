"""The tasks that make one picture out of another: upscaling, background removal, preprocessing, masks, vectors."""

from collections.abc import Callable, Mapping

from msgspec import Struct
from PIL.Image import Image

from runware_mock.images.picture import Picture
from runware_mock.images.standins.background import remove_background
from runware_mock.images.standins.masking import draw_mask
from runware_mock.images.standins.preprocess import PREPROCESSORS, Options, preprocess
from runware_mock.images.standins.upscale import upscale
from runware_mock.images.standins.vector import vectorize
from runware_mock.protocol.messages import Item, Task
from runware_mock.services import Caller, Services
from runware_mock.tasks.inputs import Input, Inputs
from runware_mock.tasks.parameters import Parameters
from runware_mock.tasks.results import Output, Result, echoed, encoded, read_output, storing
from runware_mock.tasks.work import Work

_PAGES = "https://runware.ai/docs/en/tools/"
_INPUT_FIELDS = ("image", "images", "inputImage", "inputImages")
# Guess: no service enlarges beyond this; here it bounds time and memory.
_MAX_UPSCALED_PX = 8192


class Made(Struct, frozen=True):
    """A picture made out of the input, and fields that go with it."""

    image: Image
    fields: Item | None = None


def run_upscale(task: Task, services: Services, caller: Caller) -> Work:
    """Upscale: "upscaleFactor" 2, 3 or 4."""
    given = task.get("upscaleFactor")
    # Both Python SDKs type it as a float for some models.
    whole = {"upscaleFactor": int(given)} if isinstance(given, float) and given.is_integer() else {}
    read = Parameters({**task, **whole} if whole else task, _PAGES + "upscale")
    factor = read.integer("upscaleFactor", 2, 4, default=2 if _names_size(task) else None)

    def make(image: Image) -> Made:
        return Made(upscale(image, factor, max_side_px=_MAX_UPSCALED_PX))

    return _transformed(read, services, caller, "upscale", make, enlarged=factor)


def run_remove_background(task: Task, services: Services, caller: Caller) -> Work:
    """removeBackground: "default PNG"; options stand in `settings`, or beside it as the older Python SDK sends them."""
    read = Parameters(task, _PAGES + "remove-background")
    options = _with_settings(read)
    only_mask = options.flag("returnOnlyMask")
    rgba = _rgba(options)

    def make(image: Image) -> Made:
        return Made(remove_background(image, return_only_mask=only_mask, rgba=rgba))

    return _transformed(read, services, caller, "removeBackground", make, default_format="PNG")


def run_preprocess(task: Task, services: Services, caller: Caller) -> Work:
    """controlNetPreprocess: the guide image that a ControlNet takes."""
    read = Parameters(task, _PAGES + "controlnet-preprocess")
    name = "preprocessor" if "preprocessor" in task else "preProcessorType"
    # The newer form has a model for each kind: "runware:controlnet-preprocess@lineart-anime".
    provider, _, named = str(task.get("model") or "").partition("@")
    of_model = named.replace("-", "_") if provider == "runware:controlnet-preprocess" else None
    kind = read.choice(name, tuple(PREPROCESSORS), of_model if of_model in PREPROCESSORS else None)
    given = _with_settings(read)
    options = Options(
        low_threshold=given.integer("lowThresholdCanny", 0, 255, default=100),
        high_threshold=given.integer("highThresholdCanny", 0, 255, default=200),
        has_hands_and_face=given.flag("includeHandsAndFaceOpenPose"),
    )

    def make(image: Image) -> Made:
        return Made(preprocess(kind, image, options))

    return _transformed(read, services, caller, "controlNetPreprocess", make, prefix="guideImage")


def run_masking(task: Task, services: Services, caller: Caller) -> Work:
    """imageMasking: a mask of what was detected, and its boxes."""
    read = Parameters(task, _PAGES + "image-masking")
    options = _with_settings(read)
    most = options.integer("maxDetections", 1, 20, default=6)
    padding_px = options.integer("maskPadding", -100, 100, default=4)
    blur_px = options.integer("maskBlur", 0, 100, default=4)
    options.number("confidence", 0, 1, 0.25)

    def make(image: Image) -> Made:
        mask, boxes = draw_mask(image, max_detections=most, mask_padding_px=padding_px, mask_blur_px=blur_px)
        return Made(mask, {"detections": boxes})

    return _transformed(read, services, caller, "imageMasking", make, prefix="maskImage")


def run_vectorize(task: Task, services: Services, caller: Caller) -> Work:
    """Vectorize: an SVG."""
    read = Parameters(task, _PAGES + "vectorize")
    output = read_output(read, "SVG", ("SVG",))
    if caller.dry_run:
        return [echoed(task)]
    inputs = Inputs(task, services, caller, read.page)
    image = _input(read, inputs).open()
    with services.codec.drawing(*image.size):
        svg = vectorize(image).encode()
    picture = Picture("svg", *image.size, 1, svg)
    return storing(task, services, caller, inputs, output, [Result(picture)], family="vectorize")


def _transformed(
    read: Parameters,
    services: Services,
    caller: Caller,
    family: str,
    make: Callable[[Image], Made],
    *,
    prefix: str = "image",
    default_format: str = "JPG",
    enlarged: int = 1,
) -> Work:
    output: Output = read_output(read, default_format)
    if caller.dry_run:
        return [echoed(read.task)]
    inputs = Inputs(read.task, services, caller, read.page)
    given = _input(read, inputs)
    image = given.open()
    with services.codec.drawing(image.width * enlarged, image.height * enlarged):
        made = make(image)
        picture = encoded(made.image, output)
    result = Result(picture, made.fields or {}, given, must_name_input=prefix != "image")
    return storing(read.task, services, caller, inputs, output, [result], family=family, prefix=prefix)


def _input(read: Parameters, inputs: Inputs) -> Input:
    """Return the picture to be changed; without one the field that callers of this form use is missing."""
    given = inputs.first(*_INPUT_FIELDS)
    if given is None:
        raise read.missing("inputs.image" if "inputs" in read.task else "inputImage", "string")
    return given


def _with_settings(read: Parameters) -> Parameters:
    """Return a task's parameters and those in its `settings`, where the newer form has the options of a model."""
    settings = read.task.get("settings")
    return Parameters({**read.task, **settings} if isinstance(settings, Mapping) else read.task, read.page)


def _names_size(task: Task) -> bool:
    """Tell whether the task says in another way how large the result is to be."""
    return any(name in task for name in ("targetMegapixels", "inputs", "settings"))


def _rgba(options: Parameters) -> tuple[int, int, int, int] | None:
    value = options.task.get("rgba")
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(isinstance(part, (int, float)) for part in value):  # noqa: PLR2004 - red, green, blue, alpha
        raise options.invalid("rgba", "It must be an array of four numbers: red, green, blue and alpha.", "array")
    # Alpha is documented from 0 to 1, and seen up to 255.
    scaled = (*value[:3], value[3] * 255 if value[3] <= 1 else value[3])
    red, green, blue, alpha = (max(0, min(255, round(part))) for part in scaled)
    return red, green, blue, alpha
