"""Tasks as clients write them, one of each type."""

from io import BytesIO
from typing import Any

from PIL import Image

from tests import plain
from tests.talking import Task, new_uuid

MODEL = "runware:101@1"
SIZE_PX = (512, 384)


def task(task_type: str, **fields: object) -> Task:
    """Return a task with a fresh taskUUID."""
    return {"taskType": task_type, "taskUUID": new_uuid(), **fields}


def inference(**fields: object) -> Task:
    """Return an imageInference."""
    width_px, height_px = SIZE_PX
    given = {"positivePrompt": "a lighthouse", "model": MODEL, "width": width_px, "height": height_px}
    return task("imageInference", **{**given, **fields})


# Every task type that takes an image, in both families of names, with what it needs beside the image.
NEEDED: dict[str, dict[str, object]] = {
    "imageInference": {"positivePrompt": "a cat", "model": MODEL, "width": 512, "height": 384},
    "photoMaker": {"positivePrompt": "img of a man", "model": MODEL, "width": 512, "height": 384},
    "upscale": {"upscaleFactor": 2},
    "imageUpscale": {"upscaleFactor": 2},
    "removeBackground": {},
    "imageBackgroundRemoval": {},
    "caption": {},
    "imageCaption": {},
    "controlNetPreprocess": {"preProcessorType": "canny"},
    "imageControlNetPreProcess": {"preProcessorType": "canny"},
    "imageMasking": {},
    "vectorize": {},
}


def using(task_type: str, image: object, *, new_style: bool = False) -> Task:
    """Return a task of this type that uses an image, in the field of the older or the newer style."""
    if new_style:
        return task(task_type, **NEEDED[task_type], inputs={"image": image})
    old_field = {"imageInference": "seedImage", "photoMaker": "inputImages"}.get(task_type, "inputImage")
    return task(task_type, **NEEDED[task_type], **{old_field: [image] if old_field == "inputImages" else image})


def opened(item: dict[str, Any], name: str = "imageURL") -> Image.Image:
    """Download a result and decode it."""
    response = plain.get(item[name])
    assert response.status_code == 200
    image = Image.open(BytesIO(response.content))
    image.load()
    return image
