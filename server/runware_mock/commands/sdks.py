"""The SDKs: how to point each at a server, and what to watch out for."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Address:
    """The addresses of a server. `key_chars` is the length of the API key, where there is one."""

    url: str
    key_chars: int | None = None

    @classmethod
    def of(cls, url: str, api_key: str | None = None) -> "Address":
        """Read any address of the server: with ws:// or http://, with or without /v1."""
        base = url.rstrip("/").removesuffix("/v1")
        base = f"http{base.removeprefix('ws')}" if base.startswith(("ws://", "wss://")) else base
        return cls(base, None if api_key is None else len(api_key))

    @property
    def is_tls(self) -> bool:
        """Whether it is an https address."""
        return self.url.startswith("https:")

    @property
    def rest_url(self) -> str:
        """Address of the REST API."""
        return f"{self.url}/v1"

    @property
    def ws_url(self) -> str:
        """Address of the WebSocket API."""
        return f"ws{self.url.removeprefix('http')}/v1"


# Returns a warning if it applies to this address and key.
Pitfall = Callable[[Address], str | None]


@dataclass(frozen=True)
class Sdk:
    """One SDK. `setup` is what a user writes, with `{ws}` and `{rest}` for the server's addresses."""

    name: str
    transports: str
    setup: str
    pitfalls: tuple[Pitfall, ...] = ()

    def line(self, address: Address) -> str:
        """Return what the user writes for this server."""
        return self.setup.replace("{ws}", address.ws_url).replace("{rest}", address.rest_url)

    def warnings(self, address: Address) -> list[str]:
        """Return the warnings that apply to this user."""
        return [warning for pitfall in self.pitfalls if (warning := pitfall(address))]


def always(warning: str) -> Pitfall:
    """Warn whatever the address and the key are."""
    return lambda _address: warning


def key_of(least_chars: int) -> Pitfall:
    """Warn of a client that accepts no shorter keys."""

    def pitfall(address: Address) -> str | None:
        if address.key_chars is None or address.key_chars >= least_chars:
            return None
        return f"accepts no key under {least_chars} characters; this one has {address.key_chars}"

    return pitfall


def own_test_address(address: Address) -> str | None:
    """Warn of the one address that some SDKs use for their own tests."""
    parts = urlsplit(address.url)
    if (parts.hostname, parts.port) != ("localhost", 8080):
        return None
    return "takes ws://localhost:8080 for its own test server and does not wait for it: write 127.0.0.1"


_NO_SETTING = "has no setting: it reaches this server only through a TLS proxy named {}"
_SCHEMAS = always("asks schemas.runware.ai when a task names no taskType, and continues if there is no answer")
_ONE_NAME = always("has the same import name, `runware`, as the other PyPI package: install only one of them")

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
        (always("asks schemas.runware.ai in every run"),),
    ),
    Sdk("npm runware-mcp", "REST", _NO_SETTING.format("api.runware.ai"), (key_of(32),)),
    Sdk("PHP SDK", "REST", _NO_SETTING.format("api.runware.ai")),
)
