"""modelSearch and modelUpload: a small built-in catalogue, and the models that the account claims to have uploaded.

"Search across model name, AIR identifier, version and tags"; results are paginated by `limit` and `offset`.
"""

from collections.abc import Mapping
from typing import Any

from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.storage import journal
from runware_mock.tasks.models import ModelSearch, ModelUpload
from runware_mock.tasks.results import echoed
from runware_mock.tasks.work import Done, Work

_COLUMNS = ("air", "name", "version", "category", "architecture", "tags", "conditioning")
# The last five are examples of their kinds, not real ones.
_CATALOGUE = (
    ("runware:100@1", "FLUX.1 [schnell]", "1.0", "checkpoint", "flux1s", ("base model",)),
    ("runware:101@1", "FLUX.1 [dev]", "1.0", "checkpoint", "flux1d", ("base model",)),
    ("runware:106@1", "FLUX.1 Kontext [dev]", "1.0", "checkpoint", "fluxkontextdev", ("edit",)),
    ("runware:400@1", "FLUX.2 [dev]", "1.0", "checkpoint", "flux2dev", ("base model", "edit")),
    ("runware:108@1", "Qwen-Image", "1.0", "checkpoint", "qwen_image", ("base model",)),
    ("bfl:2@1", "FLUX.1.1 [pro]", "1.1", "checkpoint", "fluxpro", ("base model",)),
    ("bfl:3@1", "FLUX.1 Kontext [pro]", "1.0", "checkpoint", "fluxkontextpro", ("edit",)),
    ("google:4@1", "Gemini Flash Image 2.5", "2.5", "checkpoint", "gemini_2_5_flash_image", ("edit",)),
    ("civitai:101055@128078", "SD XL", "v1.0", "checkpoint", "sdxl", ("base model", "photorealistic")),
    ("civitai:4384@128713", "DreamShaper", "8", "checkpoint", "sd1x", ("photorealistic", "fantasy")),
    ("runware-mock:1@1", "Example LoRA", "1", "lora", "sdxl", ("example",)),
    ("runware-mock:2@1", "Example ControlNet Canny", "1", "controlnet", "sdxl", ("example",), "canny"),
    ("runware-mock:3@1", "Example VAE", "1", "vae", "sdxl", ("example",)),
    ("runware-mock:4@1", "Example embedding", "1", "embeddings", "sd1x", ("example",)),
    ("runware-mock:5@1", "Example LyCORIS", "1", "lycoris", "sd1x", ("example",)),
)
# "defaultWidth, defaultHeight, defaultSteps, defaultScheduler, defaultCFG: only returned for checkpoints".
_CHECKPOINT = {
    "type": "base",
    "defaultWidth": 1024,
    "defaultHeight": 1024,
    "defaultSteps": 20,
    "defaultScheduler": "Default",
    "defaultCFG": 7.5,
}
# "The API streams a sequence of messages", one per phase; the sentences are the documented ones.
_PHASES = (
    ("validated", "Model parameters and configuration validated."),
    ("downloaded", "Model downloaded from provider."),
    ("optimized", "Model optimized for deployment."),
    ("stored", "Model uploaded to secure storage."),
    ("ready", "Model successfully deployed and ready for use."),
)
_DESCRIBED = (
    *("air", "name", "version", "architecture", "type", "conditioning", "positiveTriggerWords"),
    *("defaultWidth", "defaultHeight", "defaultSteps", "defaultScheduler", "defaultCFG", "defaultStrength"),
)
_FILTERS = ("category", "type", "architecture", "conditioning")


def run_search(task: ModelSearch, services: Services, caller: Caller) -> Work:
    """Return a page of the models that match, and how many match in all."""
    with services.database.reading() as connection:
        uploads = journal.model_uploads(connection, caller.account.id)
    # "To update a model's metadata, use the same AIR identifier": the newest upload counts, and comes first.
    models = {str(sent.get("air")): _described(sent) for sent in reversed(uploads)}
    visible = {"all": (False, True), "public": (False,), "private": (True,)}[task.visibility]
    own = [model for model in reversed(models.values()) if model["private"] in visible]
    found = [model for model in [*own, *(_built_in() if task.visibility == "all" else ())] if _matches(task, model)]
    page = found[task.offset : task.offset + task.limit]
    items: list[Item] = [{**echoed(task.sent), "results": page, "totalResults": len(found)}]
    return lambda _connection: Done(items)


def run_upload(task: ModelUpload, _services: Services, _caller: Caller) -> Work:
    """Accept a model, whose file is never downloaded; modelSearch finds it in the journal."""
    items: list[Item] = [
        {**echoed(task.sent), "status": status, "message": message, "air": task.air} for status, message in _PHASES
    ]
    return lambda _connection: Done(items)


def _built_in() -> list[dict[str, Any]]:
    return [_described(dict(zip(_COLUMNS, row, strict=False))) for row in _CATALOGUE]


def _described(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model as its upload, or a row of the catalogue, describes it."""
    category = str(sent.get("category", "")).lower()
    return {
        **(_CHECKPOINT if category == "checkpoint" else {}),
        **{name: sent[name] for name in _DESCRIBED if name in sent},
        "category": category,
        "tags": sent.get("tags") or [],
        "heroImage": sent.get("heroImageURL") or "",
        "private": sent.get("private") is True,
        "comment": sent.get("comment") or "",
    }


def _matches(task: ModelSearch, model: Mapping[str, Any]) -> bool:
    wanted = {name: getattr(task, name) for name in _FILTERS}
    if any(value and str(model.get(name, "")).lower() != value.lower() for name, value in wanted.items()):
        return False
    tags = {str(tag).lower() for tag in model["tags"]}
    if task.tags and tags.isdisjoint(tag.lower() for tag in task.tags):
        return False
    searched = " ".join(str(model.get(name, "")) for name in ("air", "name", "version")).lower()
    return all(word in searched or word in tags for word in task.search.lower().split())
