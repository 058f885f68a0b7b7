"""The tasks that make pictures: drawn from a prompt, or from another picture."""

import hashlib
from collections.abc import Callable, Mapping

import msgspec
from PIL.Image import Image

from runware_mock.images.formats import Picture
from runware_mock.images.standins.conversion import upscale, vectorize
from runware_mock.images.standins.inference import draw_inference
from runware_mock.images.standins.preprocess import Options, preprocess
from runware_mock.images.standins.segmentation import draw_mask, remove_background
from runware_mock.protocol.messages import Item, Task
from runware_mock.services import Caller, Services
from runware_mock.tasks.image_models import (
    Changing,
    ControlNetPreprocess,
    ImageMasking,
    RemoveBackground,
    Upscale,
    Vectorize,
)
from runware_mock.tasks.inference_models import ImageInference, Sized
from runware_mock.tasks.inputs import INPUT_FIELDS, Input, Inputs, missing_input
from runware_mock.tasks.results import Result, answer_with, encoded
from runware_mock.tasks.work import Work

# The side of a picture whose task gives no size.
_DEFAULT_PX = 1024
# Made-up seeds stay below 2^31, like those seen live; given ones may go up to 2^63 - 1.
_MADE_UP_SEED_LIMIT = 2**31
# Tasks that differ only in these have equal parameters.
_NOT_PARAMETERS = ("taskUUID", "webhookURL", "deliveryMethod", "includeCost")
# Guess: no service enlarges beyond this; here it limits time and memory.
_MAX_UPSCALED_PX = 8192
_DRAWN_PX = 512

# Makes the picture, and the fields that go with it, from the input.
Make = Callable[[Image], tuple[Image, Item]]


def run_inference(task: Sized, services: Services, caller: Caller) -> Work:
    """Draw as many pictures as the task asks for."""
    width_px, height_px = task.width or _DEFAULT_PX, task.height or _DEFAULT_PX
    seed = _seed_of(task.sent) if task.seed is None else task.seed
    checks_content = task.check_nsfw or _checks_content(task.safety)
    inputs = Inputs(task, services, caller)
    seed_input, mask_input = inputs.first("seedImage", "image"), inputs.first("maskImage", "mask")
    others = [found.open() for found in inputs.all if found not in (seed_input, mask_input)]
    seed_picture = None if seed_input is None else seed_input.open()
    mask = None if mask_input is None else mask_input.open()
    results = []
    with services.codec.drawing(width_px, height_px):
        for number in range(1, task.number_results + 1):
            image = draw_inference(
                width_px=width_px,
                height_px=height_px,
                prompt=task.positive_prompt,
                negative_prompt=task.negative_prompt,
                model=task.model,
                seed=seed + number - 1,
                number=number,
                seed_picture=seed_picture,
                strength=task.strength if isinstance(task, ImageInference) else 0.0,
                mask=mask,
                references=others,
            )
            fields: dict[str, object] = {"seed": seed + number - 1}
            if checks_content:
                fields["NSFWContent"] = False
            results.append(Result(encoded(image, task), fields))
    return answer_with(results, task, services, caller, inputs)


def _checks_content(safety: object) -> bool:
    return isinstance(safety, Mapping) and safety.get("checkContent") not in (None, False, "none")


def _seed_of(sent: Task) -> int:
    """Make up a seed that is the same for equal parameters."""
    parameters = {name: value for name, value in sent.items() if name not in _NOT_PARAMETERS}
    digest = hashlib.sha256(msgspec.json.encode(parameters, order="sorted", enc_hook=str)).digest()
    return int.from_bytes(digest[:8], "big") % (_MADE_UP_SEED_LIMIT - 1) + 1


def run_upscale(task: Upscale, services: Services, caller: Caller) -> Work:
    """Enlarge the picture by the given factor; if the task asks for a size in another way, double it."""
    factor = task.upscale_factor or 2

    def make(image: Image) -> tuple[Image, Item]:
        return upscale(image, factor, max_side_px=_MAX_UPSCALED_PX), {}

    return _transformed(task, services, caller, make, enlarged=factor)


def run_remove_background(task: RemoveBackground, services: Services, caller: Caller) -> Work:
    """Cut out the foreground."""

    def make(image: Image) -> tuple[Image, Item]:
        return remove_background(image, return_only_mask=task.return_only_mask, rgba=task.rgba), {}

    return _transformed(task, services, caller, make)


def run_preprocess(task: ControlNetPreprocess, services: Services, caller: Caller) -> Work:
    """Draw the guide image."""
    options = Options(
        low_threshold=task.low_threshold_canny,
        high_threshold=task.high_threshold_canny,
        has_hands_and_face=task.include_hands_and_face_open_pose,
    )

    def make(image: Image) -> tuple[Image, Item]:
        return preprocess(task.kind, image, options), {}

    return _transformed(task, services, caller, make, prefix="guideImage")


def run_masking(task: ImageMasking, services: Services, caller: Caller) -> Work:
    """Draw a mask of what was detected, and return its boxes."""

    def make(image: Image) -> tuple[Image, Item]:
        mask, boxes = draw_mask(
            image,
            max_detections=task.max_detections,
            mask_padding_px=task.mask_padding,
            mask_blur_px=task.mask_blur,
        )
        return mask, {"detections": boxes}

    return _transformed(task, services, caller, make, prefix="maskImage")


def run_vectorize(task: Vectorize, services: Services, caller: Caller) -> Work:
    """Make an SVG of the picture; without one, of a picture drawn from the prompt, as recraft's vectorizer takes it."""
    inputs, prompt = Inputs(task, services, caller), task.positive_prompt
    if prompt and not inputs.all:
        image = draw_inference(width_px=_DRAWN_PX, height_px=_DRAWN_PX, prompt=prompt, seed=1)
    else:
        image = _input(task, inputs).open()
    with services.codec.drawing(*image.size):
        picture = Picture("svg", *image.size, 1, vectorize(image).encode())
    return answer_with([Result(picture)], task, services, caller, inputs)


def _transformed(
    task: Changing, services: Services, caller: Caller, make: Make, *, prefix: str = "image", enlarged: int = 1
) -> Work:
    inputs = Inputs(task, services, caller)
    given = _input(task, inputs)
    image = given.open()
    with services.codec.drawing(image.width * enlarged, image.height * enlarged):
        made, fields = make(image)
        result = Result(encoded(made, task), fields)
    return answer_with([result], task, services, caller, inputs, prefix=prefix, made_of=given)


def _input(task: Changing, inputs: Inputs) -> Input:
    given = inputs.first(*INPUT_FIELDS)
    if given is None:
        raise missing_input(task)
    return given
