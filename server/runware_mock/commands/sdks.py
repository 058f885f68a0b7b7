"""The SDKs there are: how each is pointed at a server, and where it goes astray."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

_TEST_HOST = ("localhost", 8080)


@dataclass(frozen=True)
class Place:
    """A server as SDKs address it; `key_chars` is the length of the API key, where it is known."""

    url: str
    key_chars: int | None = None

    @classmethod
    def of(cls, url: str, api_key: str | None = None) -> "Place":
        """Take whatever address of the server a user has at hand."""
        base = url.rstrip("/").removesuffix("/v1")
        base = f"http{base.removeprefix('ws')}" if base.startswith(("ws://", "wss://")) else base
        return cls(base, None if api_key is None else len(api_key))

    @property
    def rest_url(self) -> str:
        """Address of the REST API."""
        return f"{self.url}/v1"

    @property
    def ws_url(self) -> str:
        """Address of the WebSocket API."""
        return f"ws{self.url.removeprefix('http')}/v1"


Trap = Callable[[Place], str | None]


@dataclass(frozen=True)
class Sdk:
    """One SDK: `pointed` is how a user points it here, with `{ws}` and `{rest}` for the addresses."""

    name: str
    transports: str
    pointed: str
    traps: tuple[Trap, ...] = ()

    def line(self, place: Place) -> str:
        """Return what the user writes."""
        return self.pointed.replace("{ws}", place.ws_url).replace("{rest}", place.rest_url)

    def warnings(self, place: Place) -> list[str]:
        """Return the traps that lie on this user's way."""
        return [warning for trap in self.traps if (warning := trap(place))]


def always(warning: str) -> Trap:
    """Return a trap that no address avoids."""
    return lambda _place: warning


def key_of(least_chars: int) -> Trap:
    """Return the trap of a client that takes no shorter keys."""

    def trap(place: Place) -> str | None:
        if place.key_chars is None or place.key_chars >= least_chars:
            return None
        return f"takes no key under {least_chars} characters; this one has {place.key_chars}"

    return trap


def own_test_address(place: Place) -> str | None:
    """Return the trap of the one address that means something else."""
    parts = urlsplit(place.url)
    if (parts.hostname, parts.port) != _TEST_HOST:
        return None
    return "takes ws://localhost:8080 for a test of its own and does not wait for it: write 127.0.0.1"


_NO_SETTING = "no setting: only a TLS proxy under the name {} leads here"
_SCHEMAS = always("asks schemas.runware.ai when a task names no taskType; goes on without an answer")
_ONE_NAME = always("shares the import name `runware` with the other PyPI package: install only one of them")

SDKS = (
    Sdk(
        "PyPI runware 0.5",
        "WebSocket",
        'Runware(api_key=KEY, url="{ws}")',
        (
            own_test_address,
            always("sends streamed textInference, with the key, to api.runware.ai whatever the URL"),
            _ONE_NAME,
        ),
    ),
    Sdk(
        "PyPI runware-sdk 1.8",
        "WebSocket",
        'Runware(api_key=KEY, ws_base_url="{ws}")',
        (_SCHEMAS, _ONE_NAME),
    ),
    Sdk(
        "PyPI runware-sdk 1.8",
        "REST",
        'Runware(api_key=KEY, transport="rest", http_base_url="{rest}")',
        (_SCHEMAS, _ONE_NAME),
    ),
    Sdk("npm @runware/sdk-js 1.3", "WebSocket", 'new Runware({ apiKey: KEY, url: "{ws}" })', (own_test_address,)),
    Sdk(
        "npm @runware/sdk 1.6",
        "WebSocket, REST",
        'createClient({ apiKey: KEY, wsBaseUrl: "{ws}", httpBaseUrl: "{rest}" })',
        (_SCHEMAS,),
    ),
    Sdk("npm @runware/ai-sdk-provider 2.0", "REST", 'createRunware({ apiKey: KEY, baseURL: "{rest}" })'),
    Sdk("ComfyUI-Runware 1.9", "REST", "export RUNWARE_CUSTOM_ENDPOINT={rest}", (key_of(25),)),
    Sdk(
        "npm @runware/mcp",
        "WebSocket",
        _NO_SETTING.format("ws-api.runware.ai"),
        (always("asks schemas.runware.ai at each run"),),
    ),
    Sdk("npm runware-mcp", "REST", _NO_SETTING.format("api.runware.ai"), (key_of(32),)),
    Sdk("PHP SDK", "REST", _NO_SETTING.format("api.runware.ai")),
)
