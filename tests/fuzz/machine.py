"""A server beside the model of it: what holds of both after each step, whatever the steps are."""

import secrets
from contextlib import ExitStack
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from runware_mock.api.dependencies import read_at
from runware_mock.purge import forecast
from runware_mock.storage.media import Totals
from runware_mock.storage.models import content, dropped_object
from tests import plain
from tests.control.calling import Calls, calling
from tests.fuzz.consistency import assert_consistent
from tests.fuzz.model import AS_STORED, DOWNSIZED, Model, State
from tests.images.samples import LARGE_FILES, SMALL_FILES
from tests.running import RunningMock
from tests.talking import Answer, Talker, Task, new_uuid, talking

# Over one transport each.
ACCOUNTS = {"first": "rest", "second": "ws"}
# By names, which say more than their bytes where a test fails.
PICTURES = {
    "JPEG": SMALL_FILES["JPEG"],
    "palette PNG": SMALL_FILES["palette PNG"],
    "animated GIF": SMALL_FILES["animated GIF"],
    "large WebP": LARGE_FILES["WebP"],
}


class Machine(RuleBasedStateMachine):
    """Does to a server what it does to the model, and compares the two after each step."""

    def __init__(self, mock: RunningMock) -> None:
        super().__init__()
        self.mock = mock
        self.model = Model(tuple(ACCOUNTS), mock.clock.now_at())
        self.opened = ExitStack()
        self.talkers: dict[str, Talker] = {}
        self.controls: dict[str, Calls] = {}
        self.http = self.opened.enter_context(plain.Client(timeout=60))
        self.everyone = self.opened.enter_context(calling(mock, None))
        self.uuids: list[str] = [new_uuid()]
        # With what it stores, if it brings the file itself.
        self.tasks: list[tuple[Task, str | None]] = []
        self.archives: list[tuple[bytes, State]] = []
        # What each file is stored as.
        self.served = {name: mock.services.codec.stored_form(sent).data for name, sent in PICTURES.items()}
        self.served |= {name + AS_STORED: self.served[name] for name in DOWNSIZED}

    @initialize()
    def open_accounts(self) -> None:
        for name, transport in ACCOUNTS.items():
            key = f"{name}-{secrets.token_hex(16)}"
            self.talkers[name] = self.opened.enter_context(talking(self.mock, transport, key))
            self.controls[name] = self.opened.enter_context(calling(self.mock, key))
            self.controls[name].get("/clock")

    def teardown(self) -> None:
        """Leave nothing behind: then nothing may be left."""
        with self.opened:
            for control in self.controls.values():
                for snapshot in control.get("/snapshots")["snapshots"]:
                    control.delete(f"/snapshots/{snapshot['name']}")
            self.everyone.post("/reset")
            self.everyone.post("/purge")
            assert (self.mock.count(content), self.mock.count(dropped_object)) == (0, 0)

    # What must hold after each step.

    @invariant()
    def the_media_are_those_of_the_model(self) -> None:
        for name, control in self.controls.items():
            for state, expected in (("alive", self.model.alive(name)), ("expired", self.model.expired(name))):
                told = control.get("/media", state=state, limit=1000)["media"]
                assert {one["uuid"]: (read_at(one["last_used_at"]), read_at(one["expires_at"])) for one in told} == {
                    uuid: (medium.last_used_at, medium.expires_at) for uuid, medium in expected.items()
                }

    @invariant()
    def each_file_is_served_as_long_as_it_lives(self) -> None:
        alive = {uuid: medium for name in ACCOUNTS for uuid, medium in self.model.alive(name).items()}
        for uuid in self.uuids:
            answer = self.http.get(f"{self.mock.url}/image/ii/{uuid}.png")
            assert answer.status_code == (200 if uuid in alive else 404)
            if uuid in alive:
                assert answer.content == self.served[alive[uuid].content]

    @invariant()
    def the_journal_is_that_of_the_model(self) -> None:
        for name, control in self.controls.items():
            told = control.get("/journal", limit=1000)["entries"]
            assert [(one["task_uuid"], one["task_type"], one["outcome"]) for one in reversed(told)] == [
                (one.task_uuid, one.task_type, "error" if one.code else "success")
                for one in self.model.states[name].journal
            ]

    @invariant()
    def what_a_purge_would_remove_is_foretold(self) -> None:
        for name, control in ((None, self.everyone), *self.controls.items()):
            chosen = list(ACCOUNTS) if name is None else [name]
            count = sum(len(self.model.expired(one)) for one in chosen)
            size_bytes = sum(len(self.served[one]) for one in self.model.freed_by(chosen))
            assert control.get("/forecast")["would_purge"] == {"media": count, "bytes": size_bytes}
            assert name is not None or forecast(self.mock.services) == Totals(count, size_bytes)

    @invariant()
    def the_rows_fit_one_another(self) -> None:
        assert_consistent(self.mock)
        assert self.mock.count(content) == len(self.model.contents())

    # What the rules have in common.

    def known(self, which: int) -> str:
        """Pick a UUID that is or was that of a medium, or was never any."""
        return self.uuids[which % len(self.uuids)]

    def stored(self, name: str, item: dict[str, Any], sent: str, ttl_ms: int | None = None) -> None:
        """Let the model have what an answer says is stored."""
        uuid = item.get("imageUUID") or item["mediaUUID"]
        self.uuids.append(uuid)
        self.model.store(name, uuid, sent, ttl_ms=ttl_ms)
        self.model.note(name, item["taskUUID"], item["taskType"], uuid=uuid)

    def refused(self, name: str, task: Task, answer: Answer, code: str) -> None:
        """Check that a task was refused so, which stands in the journal."""
        assert answer.error["code"] == code
        self.model.note(name, task["taskUUID"], task["taskType"], code)

    def purged(self, told: dict[str, Any], chosen: list[str]) -> None:
        """Check what a purge says of itself."""
        freed = self.model.freed_by(chosen)
        gone = [uuid for name in chosen for uuid in self.model.purge(name)]
        assert (told["media"], told["contents"], sorted(told["uuids"])) == (len(gone), len(freed), sorted(gone))
