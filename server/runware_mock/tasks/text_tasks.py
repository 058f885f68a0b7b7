"""The tasks that answer in words: captions and better prompts."""

from runware_mock.images.standins.caption import describe, enhance
from runware_mock.protocol.messages import Item, Task
from runware_mock.services import Caller, Services
from runware_mock.storage.connection import Connection
from runware_mock.tasks.inputs import Inputs
from runware_mock.tasks.parameters import Parameters
from runware_mock.tasks.results import echoed, read_delivery
from runware_mock.tasks.work import Done, Work

_PAGES = "https://runware.ai/docs/en/tools/"
_INPUT_FIELDS = ("image", "images", "inputImage", "inputImages")


def run_caption(task: Task, services: Services, caller: Caller) -> Work:
    """Caption: "text", of all the images given."""
    read = Parameters(task, _PAGES + "caption")
    read_delivery(read)
    prompt = str(task.get("prompt") or "")
    if caller.dry_run:
        return [echoed(task)]
    inputs = Inputs(task, services, caller, read.page)
    given = inputs.named(*_INPUT_FIELDS)
    if not given:
        raise read.missing("inputs.image" if "inputs" in task else "inputImage", "string")
    text = " ".join(describe(found.open(), prompt) for found in given)
    item: Item = {**echoed(task, "caption"), "text": text}
    if given[0].uuid:
        item["inputImageUUID"] = given[0].uuid

    def commit(connection: Connection) -> Done:
        inputs.use(connection)
        return Done([item])

    return commit


def run_enhance(task: Task, _services: Services, caller: Caller) -> Work:
    """promptEnhance: "text (one item per version)"."""
    read = Parameters(task, _PAGES + "prompt-enhancer")
    read_delivery(read)
    prompt = read.text("prompt", 1, 300)
    versions = read.integer("promptVersions", 1, 5, default=1)
    longest = read.integer("promptMaxLength", 5, 400, default=400)
    if caller.dry_run:
        return [echoed(task)]
    items: list[Item] = [
        # The length is counted in tokens, of which a word is about one.
        {**echoed(task, "promptEnhance"), "text": " ".join(enhance(prompt, version).split()[:longest])}
        for version in range(1, versions + 1)
    ]
    return lambda _connection: Done(items)
