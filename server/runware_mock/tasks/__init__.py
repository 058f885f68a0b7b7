"""The task types: one row each, one module per family."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from runware_mock.protocol.errors import refuse
from runware_mock.protocol.messages import Task
from runware_mock.services import Caller, Services
from runware_mock.tasks import (
    image_models,
    inference_models,
    lookups,
    modalities,
    model_search,
    models,
    pictures,
    uploads,
)
from runware_mock.tasks.results import priced
from runware_mock.tasks.validation import read
from runware_mock.tasks.work import Load, Work, load_of_drawing, load_of_upload

# Does the heavy part of a task and returns what is left to write; raises Refusal.
Run = Callable[[Any, Services, Caller], Work]


@dataclass(frozen=True, slots=True)
class TaskType:
    """How a task type is checked and run.

    `load` decides which threads run the task. `names_another` marks the types whose taskUUID is that of an earlier
    task; `may_be_async` those that heed `deliveryMethod` and `webhookURL`; `stores` says whether a task stores media.
    A dry run checks the parameters alone, unless the type `heeds_dry_run` by itself.
    """

    model: type[models.AnyTask]
    run: Run
    load: Callable[[Task], Load] = lambda _task: Load.LIGHT
    names_another: bool = False
    heeds_dry_run: bool = False
    may_be_async: bool = False
    stores: Callable[[Task], bool] = lambda _task: True

    def work(self, sent: Task, services: Services, caller: Caller) -> Work:
        """Check a task and do its heavy part; return what is left to write. Raises Refusal."""
        task = read(self.model, sent, is_strict=services.settings.strict)
        if caller.dry_run and not self.heeds_dry_run:
            return priced(task)
        return self.run(task, services, caller)


def _upload(model: type[models.AnyTask], run: Run) -> TaskType:
    return TaskType(model, run, load_of_upload, heeds_dry_run=True, stores=_is_no_deletion)


def _question(model: type[models.AnyTask], run: Run) -> TaskType:
    return TaskType(model, run, names_another=True, heeds_dry_run=True, stores=_never)


def _picture(model: type[models.AnyTask], run: Run) -> TaskType:
    return TaskType(model, run, load_of_drawing, may_be_async=True)


def _text(model: type[models.AnyTask], run: Run) -> TaskType:
    return TaskType(model, run, load_of_drawing, may_be_async=True, stores=_never)


def _never(_task: Task) -> bool:
    return False


def _is_no_deletion(task: Task) -> bool:
    return task.get("operation") != "delete"


def _refuse(task: models.AnyTask, _services: Services, _caller: Caller) -> NoReturn:
    raise refuse("unsupportedTaskType", f"{task.task_type} exists, but runware-mock has no stand-in for it.")


# Task types of the real service that no stand-in could imitate honestly.
UNSUPPORTED = ("training",)
NO_STAND_IN = TaskType(models.AnyTask, _refuse, heeds_dry_run=True, stores=_never)
_UPSCALE = _picture(image_models.Upscale, pictures.run_upscale)
_REMOVE_BACKGROUND = _picture(image_models.RemoveBackground, pictures.run_remove_background)
_PREPROCESS = _picture(image_models.ControlNetPreprocess, pictures.run_preprocess)
_CAPTION = _text(models.Caption, modalities.run_caption)

# Both families of names are in use: the older Python SDK sends imageUpscale, the others send upscale.
TASKS: Mapping[str, TaskType] = {
    "imageUpload": _upload(models.ImageUpload, uploads.run_image_upload),
    "mediaStorage": _upload(models.MediaStorage, uploads.run_media_storage),
    "accountManagement": TaskType(models.AccountManagement, lookups.run_account, stores=_never),
    "modelSearch": TaskType(models.ModelSearch, model_search.run_search, stores=_never),
    "modelUpload": TaskType(models.ModelUpload, model_search.run_upload, may_be_async=True, stores=_never),
    "getTaskDetails": _question(models.GetTaskDetails, lookups.run_details),
    "getResponse": _question(models.GetResponse, lookups.run_response),
    "imageInference": _picture(inference_models.ImageInference, pictures.run_inference),
    "photoMaker": _picture(inference_models.PhotoMaker, pictures.run_inference),
    "upscale": _UPSCALE,
    "imageUpscale": _UPSCALE,
    "removeBackground": _REMOVE_BACKGROUND,
    "imageBackgroundRemoval": _REMOVE_BACKGROUND,
    "controlNetPreprocess": _PREPROCESS,
    "imageControlNetPreProcess": _PREPROCESS,
    "imageMasking": _picture(image_models.ImageMasking, pictures.run_masking),
    "vectorize": _picture(image_models.Vectorize, pictures.run_vectorize),
    "caption": _CAPTION,
    "imageCaption": _CAPTION,
    "videoInference": _picture(image_models.VideoInference, modalities.run_media),
    "audioInference": _picture(image_models.AudioInference, modalities.run_media),
    "3dInference": _picture(image_models.ThreeDInference, modalities.run_media),
    "textInference": _text(models.TextInference, modalities.run_text),
    "promptEnhance": TaskType(models.PromptEnhance, modalities.run_enhance, may_be_async=True, stores=_never),
    **dict.fromkeys(UNSUPPORTED, NO_STAND_IN),
}
