"""The tasks that make one picture from another: upscaling, background removal, preprocessing, masks, vectors."""

from collections.abc import Callable

from PIL.Image import Image

from runware_mock.images.formats import Picture
from runware_mock.images.standins.conversion import upscale, vectorize
from runware_mock.images.standins.inference import draw_inference
from runware_mock.images.standins.preprocess import Options, preprocess
from runware_mock.images.standins.segmentation import draw_mask, remove_background
from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.tasks.image_models import (
    Changing,
    ControlNetPreprocess,
    ImageMasking,
    RemoveBackground,
    Upscale,
    Vectorize,
)
from runware_mock.tasks.inputs import INPUT_FIELDS, Input, Inputs, missing_input
from runware_mock.tasks.results import Result, answer_with, encoded
from runware_mock.tasks.work import Work

# Guess: no service enlarges beyond this; here it limits time and memory.
_MAX_UPSCALED_PX = 8192
_DRAWN_PX = 512


# Makes the picture, and the fields that go with it, from the input.
Make = Callable[[Image], tuple[Image, Item]]


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
