"""What a client and its control calls may do, drawn one after the other, done to a server and to the model of it."""

from copy import deepcopy

from hypothesis import strategies as st
from hypothesis.stateful import rule

from runware_mock.clock import in_ms
from runware_mock.values import parse_duration
from tests.fuzz.machine import ACCOUNTS, PICTURES, Machine
from tests.fuzz.model import Clock
from tests.talking import data_uri, new_uuid, upload

SOUND = b"ID3" + bytes(99)
DURATIONS = ["1ms", "12h", "1d", "10d", "29d23h59m59.999s", "30d"]
SNAPSHOTS = ["one", "two"]
SCOPES = ["all", "media", "journal", "faults", "clock"]

names = st.sampled_from(list(ACCOUNTS))
spans = st.sampled_from(DURATIONS)
picks = st.integers(0, 10**6)


def ms(span: str) -> int:
    """Return a duration in milliseconds."""
    return in_ms(parse_duration(span))


class Rules(Machine):
    """Each rule does one thing to both."""

    # Tasks.

    def is_sound(self, name: str, uuid: str) -> bool:
        """Tell whether a medium could be used, were it a picture."""
        medium = self.model.alive(name).get(uuid)
        return medium is not None and medium.content == "sound"

    @rule(name=names, picture=st.sampled_from(list(PICTURES)), count=st.integers(1, 3))
    def upload(self, name: str, picture: str, count: int) -> None:
        tasks = [upload(PICTURES[picture]) for _ in range(count)]
        answer = self.talkers[name].ask(*tasks)
        assert answer.errors == []
        # Over WebSocket each is answered as soon as it is ready.
        items = {item["taskUUID"]: item for item in answer.data}
        for entry in reversed(self.controls[name].get("/journal", limit=count)["entries"]):
            self.stored(name, items[entry["task_uuid"]], picture)
        self.tasks += [(task, picture) for task in tasks]

    @rule(name=names)
    def upload_sound(self, name: str) -> None:
        task = {"taskType": "mediaStorage", "taskUUID": new_uuid(), "media": data_uri(SOUND, "audio/mpeg")}
        self.served["sound"] = SOUND
        self.stored(name, self.talkers[name].ask(task).item, "sound")
        self.tasks.append((task, "sound"))

    @rule(name=names, which=picks, rule_of_host=st.sampled_from(["{}", "https://im.runware.ai"]))
    def upload_by_url(self, name: str, which: int, rule_of_host: str) -> None:
        uuid = self.known(which)
        task = upload(f"{rule_of_host.format(self.mock.url)}/image/ii/{uuid}.jpg")
        answer = self.talkers[name].ask(task)
        self.tasks.append((task, None))
        if self.is_sound(name, uuid):
            self.refused(name, task, answer, "invalidImage")
        elif used := self.model.use(name, uuid):
            self.stored(name, answer.item, used.content)
        else:
            self.refused(name, task, answer, "failedToTransferImage")

    @rule(name=names, which=picks)
    def caption(self, name: str, which: int) -> None:
        uuid = self.known(which)
        task = {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}
        answer = self.talkers[name].ask(task)
        self.tasks.append((task, None))
        if self.is_sound(name, uuid):
            self.refused(name, task, answer, "invalidInputImage")
        elif self.model.use(name, uuid):
            assert answer.item["inputImageUUID"] == uuid
            self.model.note(name, task["taskUUID"], "caption")
        else:
            self.refused(name, task, answer, "failedToTransferImage")

    @rule(name=names, seed=st.integers(1, 2), ttl_s=st.sampled_from([None, 60, 86_400]))
    def draw(self, name: str, seed: int, ttl_s: int | None) -> None:
        sized = {"width": 128, "height": 128, "positivePrompt": "a cat", "model": "runware:101@1"}
        task = {"taskType": "imageInference", "taskUUID": new_uuid(), "seed": seed, **sized}
        if ttl_s:
            task["ttl"] = ttl_s
        item = self.talkers[name].ask(task).item
        self.tasks.append((task, None))
        drawn = f"drawn with seed {seed}"
        self.served[drawn] = self.http.get(item["imageURL"]).content
        self.stored(name, item, drawn, ttl_ms=ttl_s and ttl_s * 1000)

    @rule(name=names, which=picks, spelled=st.sampled_from(["{}", "https://im.runware.ai/image/ii/{}.png"]))
    def delete(self, name: str, which: int, spelled: str) -> None:
        uuid = self.known(which)
        task = {
            "taskType": "mediaStorage",
            "operation": "delete",
            "taskUUID": new_uuid(),
            "media": spelled.format(uuid),
        }
        answer = self.talkers[name].ask(task)
        self.tasks.append((task, None))
        if uuid in self.model.alive(name):
            del self.model.states[name].media[uuid]
            assert answer.item["mediaUUID"] == uuid
            self.model.note(name, task["taskUUID"], "mediaStorage")
        else:
            self.refused(name, task, answer, "mediaNotFound")

    @rule(name=names)
    def fail(self, name: str) -> None:
        task = upload("no picture")
        self.refused(name, task, self.talkers[name].ask(task), "invalidImage")
        self.tasks.append((task, None))

    @rule(name=names, which=picks, is_upper_case=st.booleans())
    def send_again(self, name: str, which: int, *, is_upper_case: bool) -> None:
        if not self.tasks:
            return
        task, picture = self.tasks[which % len(self.tasks)]
        if is_upper_case:
            task = {**task, "taskUUID": task["taskUUID"].upper()}
        if self.model.is_done(name, task["taskUUID"]):
            self.refused(name, task, self.talkers[name].ask(task), "conflictTaskUUID")
        elif picture is not None:
            self.stored(name, self.talkers[name].ask(task).item, picture)

    @rule(name=names, which=picks, is_upper_case=st.booleans())
    def get_response(self, name: str, which: int, *, is_upper_case: bool) -> None:
        if not self.tasks:
            return
        task_uuid = self.tasks[which % len(self.tasks)][0]["taskUUID"]
        asked = task_uuid.upper() if is_upper_case else task_uuid
        answer = self.talkers[name].ask({"taskType": "getResponse", "taskUUID": asked})
        told = self.model.told(name, task_uuid)
        if told is None or told.code is not None:
            assert answer.error["code"] == ("taskNotFound" if told is None else told.code)
        else:
            assert (answer.item["status"], answer.item["taskType"]) == ("success", told.task_type)
            assert told.uuid in (answer.item.get("mediaUUID"), None)

    # Control.

    @rule(name=names, picture=st.sampled_from(list(PICTURES)), age=spans)
    def add(self, name: str, picture: str, age: str) -> None:
        added = self.controls[name].post("/media", content=PICTURES[picture], query={"age": age})
        self.model.store(name, added["uuid"], picture, age_ms=ms(age))
        self.uuids.append(added["uuid"])

    @rule(name=names, which=picks)
    def remove(self, name: str, which: int) -> None:
        uuid = self.known(which)
        if self.model.states[name].media.pop(uuid, None):
            assert self.controls[name].delete(f"/media/{uuid}") == {"deleted": 1}
        else:
            assert self.controls[name].refused("DELETE", f"/media/{uuid}")[0] == 404

    @rule(span=spans)
    def real_time_goes_by(self, span: str) -> None:
        self.mock.clock.advance(parse_duration(span))
        self.model.real_at += ms(span)

    @rule(name=names, span=spans)
    def advance(self, name: str, span: str) -> None:
        moved = self.controls[name].post("/clock/advance", by=span)
        self.model.set_clock(name, self.model.clock_of(name).moved(ms(span)))
        self.purged(moved["purged"], [name])

    @rule(name=names, change=st.sampled_from(["freeze", "resume", "reset"]))
    def change_clock(self, name: str, change: str) -> None:
        self.controls[name].post(f"/clock/{change}")
        now_at, real_at = self.model.now_at(name), self.model.real_at
        clocks = {"freeze": Clock(0, now_at), "resume": Clock(now_at - real_at), "reset": None}
        self.model.set_clock(name, clocks[change])

    @rule(span=spans)
    def advance_all(self, span: str) -> None:
        moved = self.everyone.post("/clock/advance", by=span)
        self.model.move_all(ms(span))
        self.purged(moved["purged"], list(ACCOUNTS))

    @rule()
    def reset_all_clocks(self) -> None:
        self.everyone.post("/clock/reset")
        self.model.common = Clock()
        for name in ACCOUNTS:
            self.model.set_clock(name, None)

    @rule(name=names | st.none())
    def purge(self, name: str | None) -> None:
        control = self.everyone if name is None else self.controls[name]
        self.purged(control.post("/purge"), list(ACCOUNTS) if name is None else [name])

    @rule(name=names, scope=st.sampled_from(SCOPES))
    def reset(self, name: str, scope: str) -> None:
        self.controls[name].post("/reset", scope=scope)
        state = self.model.states[name]
        if scope in ("all", "media"):
            state.media.clear()
        if scope in ("all", "journal"):
            state.journal.clear()
        if scope in ("all", "clock"):
            state.clock = None

    @rule(name=names, snapshot=st.sampled_from(SNAPSHOTS))
    def save(self, name: str, snapshot: str) -> None:
        if snapshot in self.model.snapshots[name]:
            assert self.controls[name].refused("POST", f"/snapshots/{snapshot}")[0] == 409
        else:
            self.controls[name].post(f"/snapshots/{snapshot}")
            self.model.save(name, snapshot)

    @rule(name=names, snapshot=st.sampled_from(SNAPSHOTS))
    def restore(self, name: str, snapshot: str) -> None:
        kept = self.model.snapshots[name].get(snapshot)
        if kept is None or self.model.is_in_the_way(name, kept):
            status = 404 if kept is None else 409
            assert self.controls[name].refused("POST", f"/snapshots/{snapshot}/restore")[0] == status
        else:
            self.controls[name].post(f"/snapshots/{snapshot}/restore")
            self.model.restore(name, kept)

    @rule(name=names)
    def export(self, name: str) -> None:
        archive = self.controls[name].client.get("/export").content
        self.archives.append((archive, deepcopy(self.model.states[name])))

    @rule(name=names, which=picks)
    def load(self, name: str, which: int) -> None:
        if not self.archives:
            return
        archive, state = self.archives[which % len(self.archives)]
        if self.model.is_in_the_way(name, state):
            assert self.controls[name].refused("POST", "/import", content=archive)[0] == 409
        else:
            self.controls[name].post("/import", content=archive)
            self.model.load(name, state)

    @rule(name=names, snapshot=st.sampled_from(SNAPSHOTS))
    def forget(self, name: str, snapshot: str) -> None:
        is_there = self.model.snapshots[name].pop(snapshot, None)
        status = self.controls[name].client.delete(f"/snapshots/{snapshot}").status_code
        assert status == (200 if is_there else 404)
