"""Clients that go on uploading whatever happens to the server, and remember what they were told."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count, cycle

import httpx
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from runware_mock.protocol.errors import OURS
from tests import plain
from tests.process import scenes
from tests.process.clients import fetched, rest, ws
from tests.stores import Store
from tests.talking import Talker, upload

CLIENTS = 4
HAPPENS_WITHIN_S = 60.0
# A refused connection is not tried again as fast as the machine can.
_PAUSE_S = 0.05
_OPEN: dict[str, Callable[[str], AbstractContextManager[Talker]]] = {"rest": rest, "ws": ws}


@dataclass
class Load:
    """What clients were told: `answered` are the pictures behind each imageURL, `failed` the codes of errors.

    `closed` are the codes of WebSockets that the server has closed, `lost` counts connections that broke or never were,
    `longest_s` is how long the slowest answer took.
    """

    answered: dict[str, bytes] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    closed: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    longest_s: float = 0.0
    _threads: list[threading.Thread] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_for_answers(self, more: int) -> None:
        """Wait until so many more uploads have succeeded."""
        self._wait(more, lambda: len(self.answered))

    def wait_for_failures(self, more: int) -> None:
        """Wait until so many more uploads have failed."""
        self._wait(more, self.failed.total)

    def begin(self, name: str, urls: Iterator[str]) -> None:
        """Let one more client upload over a transport; it goes to the next server when it has lost one."""
        thread = threading.Thread(target=self._keep_on, args=(name, urls))
        self._threads.append(thread)
        thread.start()

    def end(self) -> None:
        """Begin no more uploads, and wait for the answers to those that run."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _keep_on(self, name: str, urls: Iterator[str]) -> None:
        while not self._is_over.is_set():
            with (
                suppress(httpx.TransportError, ConnectionClosed, InvalidHandshake, OSError, json.JSONDecodeError),
                ExitStack() as cleanup,
            ):
                talker = cleanup.enter_context(_OPEN[name](next(urls)))
                if name == "ws":
                    cleanup.push(self._closed)
                while not self._is_over.is_set():
                    number = next(self._numbers)
                    picture = (scenes.small, scenes.small, scenes.heavy)[number % 3](number)
                    began_s = time.monotonic()
                    answer = talker.ask(upload(picture))
                    with self._lock:
                        self.longest_s = max(self.longest_s, time.monotonic() - began_s)
                        self.answered.update({item["imageURL"]: picture for item in answer.data})
                        self.failed.update(answer.codes)
                    assert not answer.codes or (answer.status or 500) >= 500, answer
            with self._lock:
                self.lost += not self._is_over.is_set()
            self._is_over.wait(_PAUSE_S)

    def _closed(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ConnectionClosed) and error.rcvd is not None:
            self.closed[error.rcvd.code] += 1

    def _wait(self, more: int, how_many: Callable[[], int]) -> None:
        enough, give_up_s = how_many() + more, time.monotonic() + HAPPENS_WITHIN_S
        while how_many() < enough:
            assert time.monotonic() < give_up_s, self
            time.sleep(0.01)


def metric(url: str, name: str, **labels: str) -> float:
    """Return a metric of a server, added up over the labels that are not given."""
    families = text_string_to_metric_families(plain.get(f"{url}/metrics", timeout=HAPPENS_WITHIN_S).text)
    samples = [sample for family in families for sample in family.samples if sample.name == f"runware_mock_{name}"]
    assert samples, name
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


@contextmanager
def load(*urls: str, first: int = 0) -> Iterator[Load]:
    """Keep clients of both transports uploading to the servers, until the block ends; `first` numbers the pictures."""
    running = Load(_numbers=count(first))
    for number in range(CLIENTS):
        running.begin(("rest", "ws")[number % 2], cycle(urls[number % len(urls) :] + urls))
    try:
        yield running
    finally:
        running.end()


def assert_kept(running: Load, url: str, store: Store) -> None:
    """Prove that what was answered is there byte for byte, that nothing is there by half, and who is to blame."""
    for image_url, picture in running.answered.items():
        assert fetched(url, image_url).content == picture
    assert running.failed.keys() <= OURS
    media = dict(store.rows("SELECT uuid, content_id FROM medium"))
    contents = store.rows("SELECT id, sent_sha256, size_bytes, bytes FROM content")
    entries = [json.loads(answer) for (answer,) in store.rows("SELECT answer FROM journal WHERE outcome = 'success'")]
    # Every picture was sent once: so one content, one medium and one journal entry belong together.
    assert sorted(media.values()) == sorted(content_id for content_id, *_ in contents)
    assert sorted(item["imageUUID"] for answer in entries for item in answer) == sorted(media)
    for _, sent_sha256, size_bytes, data in contents:
        assert len(data) == size_bytes
        assert hashlib.sha256(data).digest() == bytes(sent_sha256)
        with Image.open(BytesIO(data)) as image:
            image.load()
