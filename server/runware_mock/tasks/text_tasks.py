"""The tasks with a text as their answer: captions and better prompts."""

from sqlalchemy import Connection

from runware_mock.images.standins.caption import describe, enhance
from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.tasks.inputs import INPUT_FIELDS, Inputs, missing_input
from runware_mock.tasks.models import Caption, PromptEnhance
from runware_mock.tasks.results import checked, echoed
from runware_mock.tasks.work import Done, Work


def run_caption(task: Caption, services: Services, caller: Caller) -> Work:
    """Describe all the images given in one text."""
    if caller.dry_run:
        return checked(task, "caption")
    inputs = Inputs(task.sent, services, caller, task.page)
    given = inputs.named(*INPUT_FIELDS)
    if not given:
        raise missing_input(task)
    text = " ".join(describe(found.open(), str(task.prompt or "")) for found in given)
    item: Item = {**echoed(task.sent, "caption"), "text": text}
    if given[0].uuid:
        item["inputImageUUID"] = given[0].uuid

    def commit(connection: Connection) -> Done:
        inputs.use(connection)
        return Done([item])

    return commit


def run_enhance(task: PromptEnhance, _services: Services, caller: Caller) -> Work:
    """Return as many versions of the prompt as are asked for, one item each."""
    if caller.dry_run:
        return checked(task, "promptEnhance", task.prompt_versions)
    # The limit is in tokens; a word is about one.
    items: list[Item] = [
        {
            **echoed(task.sent, "promptEnhance"),
            "text": " ".join(enhance(task.prompt, version).split()[: task.prompt_max_length]),
        }
        for version in range(1, task.prompt_versions + 1)
    ]
    return lambda _connection: Done(items)
