"""Big bodies wait for room, in order, and a body larger than all the room is read alone."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from runware_mock.api.intake import COPIES, Intake

TOTAL_BYTES = 1000


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Body:
    """One body that asks for room, and holds it until it is told to leave."""

    def __init__(self, intake: Intake, needed_bytes: int) -> None:
        self.is_in = False
        self._leave = asyncio.Event()
        self.task = asyncio.create_task(self._hold(intake, needed_bytes // COPIES))

    async def _hold(self, intake: Intake, body_bytes: int) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(intake.room(body_bytes))
            self.is_in = True
            await self._leave.wait()

    async def leave(self) -> None:
        """Give the room back."""
        self._leave.set()
        await self.task
        await settled()


@pytest.mark.parametrize(("second_bytes", "fits"), [(398, True), (400, True), (402, False)])
def test_a_body_waits_while_there_is_no_room(second_bytes: int, *, fits: bool) -> None:
    async def scene() -> None:
        intake = Intake(TOTAL_BYTES)
        first, second = Body(intake, 600), Body(intake, second_bytes)
        await settled()
        assert (first.is_in, second.is_in) == (True, fits)
        await first.leave()
        assert second.is_in
        await second.leave()

    asyncio.run(scene())


def test_a_body_larger_than_all_the_room_is_alone() -> None:
    async def scene() -> None:
        intake = Intake(TOTAL_BYTES)
        small, huge, later = Body(intake, 100), Body(intake, 5000), Body(intake, 100)
        await settled()
        assert (small.is_in, huge.is_in, later.is_in) == (True, False, False)
        await small.leave()
        assert (huge.is_in, later.is_in) == (True, False)
        await huge.leave()
        assert later.is_in
        await later.leave()

    asyncio.run(scene())


@pytest.mark.parametrize("is_in", [True, False])
def test_a_client_that_goes_away_gives_its_room_back(*, is_in: bool) -> None:
    async def scene() -> None:
        intake = Intake(TOTAL_BYTES)
        bodies = [Body(intake, 800), Body(intake, 800), Body(intake, 800)]
        await settled()
        gone = bodies.pop(0 if is_in else 1)
        gone.task.cancel()
        await asyncio.wait([gone.task])
        await settled()
        for body in bodies:
            assert body.is_in
            await body.leave()

    asyncio.run(scene())
