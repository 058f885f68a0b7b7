"""imageInference and photoMaker: a labelled gradient, of the seed picture where there is one."""

import hashlib
from collections.abc import Mapping

import msgspec

from runware_mock.images.standins.inference import draw_inference
from runware_mock.protocol.messages import Task
from runware_mock.services import Caller, Services
from runware_mock.tasks.inputs import Inputs
from runware_mock.tasks.parameters import Parameters
from runware_mock.tasks.results import Output, Result, echoed, encoded, read_output, storing
from runware_mock.tasks.work import Work

# As the documentation link of a live error reads.
_PAGE = "https://runware.ai/docs/en/image-inference/api-reference"
_PHOTO_MAKER_PAGE = "https://runware.ai/docs/en/photomaker/api-reference"

# Guess: models differ. Those of these providers take multiples of 64, as the documentation of image inference says;
# a live error of another model said "between 256 and 16383, in multiples of '1'". Larger ones only cost memory here.
_STRICT_PROVIDERS = ("runware", "civitai", "rundiffusion")
_STRICT_PX = (128, 2048, 64)
_LENIENT_PX = (128, 4096, 1)
# Seeds that are made up stay below 2^31, as those seen live; given ones may go up to 2^63 - 1.
_MAX_SEED = 2**63 - 1
_MADE_UP_SEED_LIMIT = 2**31
_PROMPT_LENGTH = (2, 3000)
# Without them, tasks of equal parameters are equal.
_NOT_PARAMETERS = ("taskUUID", "webhookURL", "deliveryMethod", "includeCost")


def run(task: Task, services: Services, caller: Caller) -> Work:
    """Draw the pictures of imageInference."""
    read = Parameters(task, _PAGE)
    output = read_output(read)
    model = read.model()
    has_pictures = any(name in task for name in ("seedImage", "referenceImages", "inputs"))
    prompt = read.text("positivePrompt", *_PROMPT_LENGTH, default="" if has_pictures else None)
    strength = read.number("strength", 0, 1, 0.8)
    read.integer("steps", 1, 100, default=20)
    read.number("CFGScale", 0, 50, 7)
    return _draw(read, output, services, caller, model=model, prompt=prompt, strength=strength)


def run_photo_maker(task: Task, services: Services, caller: Caller) -> Work:
    """photoMaker: the people of `inputImages` in a new picture."""
    read = Parameters(task, _PHOTO_MAKER_PAGE)
    output = read_output(read)
    prompt = read.text("positivePrompt", *_PROMPT_LENGTH)
    read.integer("strength", 15, 50, default=15)
    if not task.get("inputImages") and not task.get("inputs"):
        raise read.missing("inputImages", "array")
    model = read.model() if "model" in task else ""
    return _draw(read, output, services, caller, model=model, prompt=prompt, strength=0.0)


def _draw(
    read: Parameters, output: Output, services: Services, caller: Caller, *, model: str, prompt: str, strength: float
) -> Work:
    task = read.task
    low_px, high_px, multiple_px = _STRICT_PX if model.partition(":")[0] in _STRICT_PROVIDERS else _LENIENT_PX
    width_px = read.integer(
        "width", low_px, high_px, multiple=multiple_px, default=_default_px(task), noun="Image width"
    )
    height_px = read.integer(
        "height", low_px, high_px, multiple=multiple_px, default=_default_px(task), noun="Image height"
    )
    negative = read.text("negativePrompt", 0, _PROMPT_LENGTH[1], default="")
    count = read.integer("numberResults", 1, 20, default=1)
    seed = read.integer("seed", 1, _MAX_SEED, default=_seed_of(task))
    checks_content = read.flag("checkNSFW") or _checks_content(task)
    if caller.dry_run:
        return [echoed(task)]
    inputs = Inputs(task, services, caller, read.page)
    seed_input, mask_input = inputs.first("seedImage", "image"), inputs.first("maskImage", "mask")
    others = [found.open() for found in inputs.all if found not in (seed_input, mask_input)]
    seed_picture = None if seed_input is None else seed_input.open()
    mask = None if mask_input is None else mask_input.open()
    results = []
    with services.codec.drawing(width_px, height_px):
        for number in range(1, count + 1):
            image = draw_inference(
                width_px=width_px,
                height_px=height_px,
                prompt=prompt,
                negative_prompt=negative,
                model=model,
                seed=seed + number - 1,
                number=number,
                seed_picture=seed_picture,
                strength=strength,
                mask=mask,
                references=others,
            )
            fields: dict[str, object] = {"seed": seed + number - 1}
            if checks_content:
                fields["NSFWContent"] = False
            results.append(Result(encoded(image, output), fields))
    return storing(read.task, services, caller, inputs, output, results, family=str(task["taskType"]))


def _default_px(task: Task) -> int | None:
    """Without a size the picture is square; a live error demands one "or referenceImages"."""
    return 1024 if "referenceImages" in task or "inputs" in task or "resolution" in task else None


def _checks_content(task: Task) -> bool:
    safety = task.get("safety")
    return isinstance(safety, Mapping) and safety.get("checkContent") not in (None, False, "none")


def _seed_of(task: Task) -> int:
    """Make up a seed that is the same for equal parameters."""
    parameters = {name: value for name, value in task.items() if name not in _NOT_PARAMETERS}
    digest = hashlib.sha256(msgspec.json.encode(parameters, order="sorted", enc_hook=str)).digest()
    return int.from_bytes(digest[:8], "big") % (_MADE_UP_SEED_LIMIT - 1) + 1
