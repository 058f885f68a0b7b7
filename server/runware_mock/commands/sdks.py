"""The SDKs: how to point each at a server, and what to watch out for."""

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


@dataclass(frozen=True)
class Sdk:
    """One SDK. `setup` is what a user writes, with `{ws}` and `{rest}` for the server's addresses.

    `least_key_chars` is the length of the shortest key that it accepts. `keeps_localhost` says that it takes
    ws://localhost:8080 for its own test server.
    """

    name: str
    transports: str
    setup: str
    pitfalls: tuple[str, ...] = ()
    least_key_chars: int = 0
    keeps_localhost: bool = False

    def line(self, address: Address) -> str:
        """Return what the user writes for this server."""
        return self.setup.replace("{ws}", address.ws_url).replace("{rest}", address.rest_url)

    def warnings(self, address: Address) -> list[str]:
        """Return the warnings that apply to this user."""
        found = list(self.pitfalls)
        parts = urlsplit(address.url)
        if self.keeps_localhost and (parts.hostname, parts.port) == ("localhost", 8080):
            found.append("takes ws://localhost:8080 for its own test server and does not wait for it: write 127.0.0.1")
        if address.key_chars is not None and address.key_chars < self.least_key_chars:
            found.append(f"accepts no key under {self.least_key_chars} characters; this one has {address.key_chars}")
        return found


_NO_SETTING = "has no setting: it reaches this server only through a TLS proxy named {}"
_SCHEMAS = "asks schemas.runware.ai when a task names no taskType, and continues if there is no answer"
_ONE_NAME = "has the same import name, `runware`, as the other PyPI package: install only one of them"

SDKS = (
    Sdk(
        "PyPI runware 0.5",
        "WebSocket",
        'Runware(api_key=KEY, url="{ws}")',
        ("sends streamed textInference, with the key, to api.runware.ai whatever the URL", _ONE_NAME),
        keeps_localhost=True,
    ),
    Sdk("PyPI runware-sdk 1.8", "WebSocket", 'Runware(api_key=KEY, ws_base_url="{ws}")', (_SCHEMAS, _ONE_NAME)),
    Sdk(
        "PyPI runware-sdk 1.8",
        "REST",
        'Runware(api_key=KEY, transport="rest", http_base_url="{rest}")',
        (_SCHEMAS, _ONE_NAME),
    ),
    Sdk(
        "npm @runware/sdk-js 1.3",
        "WebSocket",
        'new Runware({ apiKey: KEY, url: "{ws}" })',
        keeps_localhost=True,
    ),
    Sdk(
        "npm @runware/sdk 1.6",
        "WebSocket, REST",
        'createClient({ apiKey: KEY, wsBaseUrl: "{ws}", httpBaseUrl: "{rest}" })',
        (_SCHEMAS,),
    ),
    Sdk("npm @runware/ai-sdk-provider 2.0", "REST", 'createRunware({ apiKey: KEY, baseURL: "{rest}" })'),
    Sdk("ComfyUI-Runware 1.9", "REST", "export RUNWARE_CUSTOM_ENDPOINT={rest}", least_key_chars=25),
    Sdk(
        "npm @runware/mcp",
        "WebSocket",
        _NO_SETTING.format("ws-api.runware.ai"),
        ("asks schemas.runware.ai in every run",),
    ),
    Sdk("npm runware-mcp", "REST", _NO_SETTING.format("api.runware.ai"), least_key_chars=32),
    Sdk("PHP SDK", "REST", _NO_SETTING.format("api.runware.ai")),
)
