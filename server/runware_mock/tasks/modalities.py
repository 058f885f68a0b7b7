"""The tasks whose results are not pictures: video, sound, 3D and texts, each a stand-in of the right kind.

They let an application run offline; the images that a task names are loaded and used as in any other task.
"""

import io
import json
import math
import struct
import wave
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection

from runware_mock.images.formats import Picture
from runware_mock.images.standins.caption import describe, enhance
from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.tasks.image_models import MediaInference
from runware_mock.tasks.inputs import INPUT_FIELDS, Inputs, missing_input
from runware_mock.tasks.models import Caption, PromptEnhance, TextInference
from runware_mock.tasks.results import Result, answer_with, begun
from runware_mock.tasks.work import Done, Work

_SAMPLES_PER_S = 8000
_TONE_HZ = 440
_LOUDNESS = 8000
# glTF 2.0, section 4: magic "glTF", version 2; chunk types JSON and BIN; component type FLOAT; target ARRAY_BUFFER.
_GLB_MAGIC, _JSON_CHUNK, _BIN_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
_FLOAT, _ARRAY_BUFFER = 5126, 34962
_TRIANGLE = (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def run_media(task: MediaInference, services: Services, caller: Caller) -> Work:
    """Answer with the stand-in of the task's kind."""
    format_name, prefix, make = _STANDINS[task.task_type]
    inputs = Inputs(task, services, caller)
    picture = Picture(format_name, 0, 0, 1, make())
    seed = {} if task.seed is None else {"seed": task.seed}
    results = [Result(picture, dict(seed)) for _ in range(task.number_results)]
    return answer_with(results, task, services, caller, inputs, prefix=prefix)


def run_text(task: TextInference, services: Services, caller: Caller) -> Work:
    """Answer with a text about the last message."""
    inputs = Inputs(task, services, caller)
    text = enhance(task.question, 1)
    items: list[Item] = [{**begun(task), "text": text, "finishReason": "stop"} for _ in range(task.number_results)]

    def commit(connection: Connection) -> Done:
        inputs.use(connection)
        return Done(items, is_streamed=task.delivery_method == "stream")

    return commit


def run_caption(task: Caption, services: Services, caller: Caller) -> Work:
    """Describe all the images given in one text."""
    inputs = Inputs(task, services, caller)
    given = inputs.named(*INPUT_FIELDS)
    if not given:
        raise missing_input(task)
    text = " ".join(describe(found.open(), str(task.prompt or "")) for found in given)
    item: Item = {**begun(task), "text": text}
    if given[0].uuid:
        item["inputImageUUID"] = given[0].uuid

    def commit(connection: Connection) -> Done:
        inputs.use(connection)
        return Done([item])

    return commit


def run_enhance(task: PromptEnhance, _services: Services, _caller: Caller) -> Work:
    """Return as many versions of the prompt as are asked for, one item each."""
    # The limit is in tokens; a word is about one.
    texts = [enhance(task.prompt, version).split() for version in range(1, task.prompt_versions + 1)]
    items: list[Item] = [{**begun(task), "text": " ".join(words[: task.prompt_max_length])} for words in texts]
    return lambda _connection: Done(items)


@cache
def _video() -> bytes:
    """Return two seconds of H.264, made by docs/standin_video.py."""
    return files(__package__).joinpath("standin.mp4").read_bytes()


@cache
def _tone() -> bytes:
    """Return a second of sound as WAV, 16 bits, one channel."""
    samples = [round(_LOUDNESS * math.sin(2 * math.pi * _TONE_HZ * n / _SAMPLES_PER_S)) for n in range(_SAMPLES_PER_S)]
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_SAMPLES_PER_S)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return out.getvalue()


@cache
def _triangle() -> bytes:
    """Return a triangle as binary glTF."""
    binary = struct.pack("<9f", *_TRIANGLE)
    corners = {"min": [0.0, 0.0, 0.0], "max": [1.0, 1.0, 0.0]}
    scene = {
        "asset": {"version": "2.0", "generator": "runware-mock"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [{"buffer": 0, "byteLength": len(binary), "target": _ARRAY_BUFFER}],
        "accessors": [{**corners, "bufferView": 0, "componentType": _FLOAT, "count": 3, "type": "VEC3"}],
    }
    text = json.dumps(scene).encode()
    # "The start and the end of each chunk MUST be aligned to a 4-byte boundary"; JSON is padded with spaces.
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), _JSON_CHUNK) + text + struct.pack("<II", len(binary), _BIN_CHUNK) + binary
    return struct.pack("<III", _GLB_MAGIC, 2, 12 + len(chunks)) + chunks


# Format, prefix of the fields, and maker of the file. Guess: 3D results use the field names of media.
_STANDINS: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "videoInference": ("mp4", "video", _video),
    "audioInference": ("wav", "audio", _tone),
    "3dInference": ("glb", "media", _triangle),
}
