"""The official SDKs use pictures in the tasks they offer, and the results can be downloaded.

All of an SDK's tasks run side by side in one process; each has a test that reads what became of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests import plain
from tests.running import RunningMock
from tests.sdks.answers import assert_worked
from tests.sdks.catalogue import PROCESS_LIMIT_S, Answer, Sdk
from tests.sdks.gallery import Gallery, Picture
from tests.sdks.looks import BALL_SIZE_PX
from tests.sdks.uses import OF_CAPTIONS, OF_DELETIONS, OF_PICTURES, OF_PROMPTS, OF_THREE, OF_UPLOADS, ROWS, Row

pytestmark = pytest.mark.timeout(PROCESS_LIMIT_S + 20)

# Under the limit of the process, so that one task that hangs leaves the others their answers.
CALL_LIMIT_S = 25

AnswersOf = Callable[[Sdk], dict[str, Answer]]


@pytest.fixture(scope="module")
def answers_of(mock: RunningMock, gallery: Gallery, ball: Picture) -> AnswersOf:
    """Run all tasks of an SDK when the first test asks for one of them."""

    @cache
    def run(sdk: Sdk) -> dict[str, Answer]:
        outcome = sdk.run(
            "uses",
            sdk.url(mock),
            f"test-key-{secrets.token_hex(16)}",
            calls=[row.call for row in ROWS if row.sdk is sdk],
            picture={"path": str(ball.path), "url": ball.url, "webhook": gallery.address},
            call_limit_s=CALL_LIMIT_S,
        )
        assert_worked(outcome)
        return outcome["answers"]

    return run


@pytest.fixture(scope="module")
def web() -> Iterator[httpx.Client]:
    """Go straight to the mock, whatever proxy the developer's machine has."""
    with plain.Client(trust_env=False) as client:
        yield client


def answer_to(row: Row, answers_of: AnswersOf) -> Answer:
    """Return the answer, whose items must be of the row's task and delivered as it asked."""
    answer = answers_of(row.sdk)[row.name]
    assert answer["ok"], answer.get("error")
    is_sync = row.delivery == "sync"
    assert answer.get("polled", not is_sync) == (not is_sync)
    for item in answer["items"]:
        # py-0.5 keeps no taskType of a stored medium.
        assert item.get("taskType", row.use.task_type) == row.use.task_type
        assert item.get("status") == (None if is_sync else "success")
    return answer


def only_item(row: Row, answers_of: AnswersOf) -> dict[str, Any]:
    """Return the one item of the answer."""
    (item,) = answer_to(row, answers_of)["items"]
    return item


@pytest.mark.parametrize("row", OF_PICTURES, ids=str)
def test_a_result_is_downloaded_and_opened(row: Row, answers_of: AnswersOf, web: httpx.Client) -> None:
    """Whatever way the picture is given in, the result is made of it."""
    look = row.use.look
    assert look is not None
    answer, item = answer_to(row, answers_of), only_item(row, answers_of)
    uuid, url = item[f"{look.prefix}UUID"], item[f"{look.prefix}URL"]
    assert UUID(uuid).version == 4
    assert uuid in url
    reply = web.get(url)
    assert reply.status_code == 200, url
    look.assert_seen(reply.content)
    if look.names_input and "given" in answer:
        assert item["inputImageUUID"] == answer["given"]


@pytest.mark.parametrize("row", OF_THREE, ids=str)
def test_three_results_of_one_task_are_three_pictures(row: Row, answers_of: AnswersOf, web: httpx.Client) -> None:
    """Every SDK counts the items and waits for the last; asynchronous ones come in each poll's answer."""
    items = answer_to(row, answers_of)["items"]
    assert [item["seed"] for item in items] == [7, 8, 9]
    assert len({web.get(item["imageURL"]).raise_for_status().content for item in items}) == 3


@pytest.mark.parametrize("row", OF_CAPTIONS, ids=str)
def test_a_caption_tells_of_the_picture(row: Row, answers_of: AnswersOf) -> None:
    """Its size and colours could be known from nothing else."""
    item = only_item(row, answers_of)
    width_px, height_px = BALL_SIZE_PX
    assert f"{width_px} by {height_px}" in item["text"]
    assert "red" in item["text"]


@pytest.mark.parametrize("row", OF_PROMPTS, ids=str)
def test_a_prompt_is_enhanced(row: Row, answers_of: AnswersOf) -> None:
    """It begins as it was given and has more to it."""
    item = only_item(row, answers_of)
    assert item["text"].startswith("a red ball")
    assert len(item["text"]) > len("a red ball")


@pytest.mark.parametrize("row", OF_UPLOADS, ids=str)
def test_a_medium_is_stored_as_it_was(
    row: Row, answers_of: AnswersOf, mock: RunningMock, web: httpx.Client, ball: Picture
) -> None:
    """py-0.5 returns a mediaUUID and no URL; its users build one."""
    item = only_item(row, answers_of)
    reply = web.get(item.get("mediaURL") or f"{mock.url}/image/ii/{item['mediaUUID']}.png")
    assert reply.content == ball.path.read_bytes()


@pytest.mark.parametrize("row", OF_DELETIONS, ids=str)
def test_a_deleted_medium_is_gone(row: Row, answers_of: AnswersOf, mock: RunningMock, web: httpx.Client) -> None:
    """The answer names what was deleted, and its URL leads nowhere."""
    given = answer_to(row, answers_of)["given"]
    assert only_item(row, answers_of)["mediaUUID"] == given
    assert web.get(f"{mock.url}/image/ii/{given}.png").status_code == 404
