"""imageInference and photoMaker: a labelled gradient, or the seed picture if there is one."""

import hashlib
from collections.abc import Mapping

import msgspec

from runware_mock.images.standins.inference import draw_inference
from runware_mock.protocol.messages import Task
from runware_mock.services import Caller, Services
from runware_mock.tasks.inference_models import ImageInference, Sized
from runware_mock.tasks.inputs import Inputs
from runware_mock.tasks.results import Result, answer_with, encoded
from runware_mock.tasks.work import Work

# The side of a picture whose task gives no size.
_DEFAULT_PX = 1024
# Made-up seeds stay below 2^31, like those seen live; given ones may go up to 2^63 - 1.
_MADE_UP_SEED_LIMIT = 2**31
# Tasks that differ only in these have equal parameters.
_NOT_PARAMETERS = ("taskUUID", "webhookURL", "deliveryMethod", "includeCost")


def run(task: Sized, services: Services, caller: Caller) -> Work:
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
