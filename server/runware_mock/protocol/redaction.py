"""Find API keys where they do not belong: the caller's own key, secrets by field name, and keys by their form."""

import re
from collections.abc import Mapping

_SHOWN_FROM = 20
# A shorter key is no secret, and may occur in a text by chance.
_SECRET_FROM = 16
# No task is nested half as deeply.
_DEEPEST = 50
# Guess: keys of the real service are 32 letters and digits; two clients take no shorter ones, none has been published.
_REAL_CHARS = 32
_REAL_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?=[0-9A-Z]*[a-z])(?=[0-9a-z]*[A-Z])(?=[A-Za-z]*[0-9])[A-Za-z0-9]{32}(?![A-Za-z0-9])"
)
_SECRET_NAME = re.compile(r"api.?key|^key$|authori[sz]ation|bearer|secret|passw|credential|token$", re.IGNORECASE)
# A secret's name and value in a text that is not JSON, such as `"apiKey": "…`, `api_key=…` or `Bearer …`.
_NAMED_SECRET = re.compile(
    r"((?:api.?key|\bkey|authori[sz]ation|bearer|secret|passw\w*|credentials?|token)[\\\"']*\s*[:=]\s*[\\\"']*"
    r"(?:bearer\s+)?|\bbearer\s+)([^\s\"'\\,&;{}\[\]]+)",
    re.IGNORECASE,
)


def masked(api_key: str) -> str:
    """Return a label that tells long keys apart without giving them away."""
    return f"{api_key[:3]}…{api_key[-3:]}" if len(api_key) >= _SHOWN_FROM else "…"


def looks_real(text: str) -> bool:
    """Tell whether a text has the form of a key of the real service."""
    return len(text) == _REAL_CHARS and _REAL_KEY.fullmatch(text) is not None


def without_real_keys(text: str) -> str:
    """Return a text with everything masked that looks like a key of the real service."""
    return text if len(text) < _REAL_CHARS else _REAL_KEY.sub(lambda found: masked(found[0]), text)


def without_secrets(text: str, api_key: str | None = None) -> str:
    """Return a text of no known form with everything masked that may be a key or the value of a secret field."""
    key = _own(api_key or "")
    if len(key) >= _SECRET_FROM:
        text = text.replace(key, masked(key))
    return _NAMED_SECRET.sub(lambda found: found[1] + masked(found[2]), without_real_keys(text))


def is_secret_name(name: str) -> bool:
    """Tell whether a field of this name holds a secret of any service."""
    return _SECRET_NAME.search(name) is not None


def holds_key(value: object, api_key: str) -> bool:
    """Tell whether decoded JSON contains its sender's key in a string or name, however the JSON escaped it."""
    key = _own(api_key)
    if len(key) < _SECRET_FROM:
        return False
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if key in one:
                return True
        elif isinstance(one, Mapping):
            left += one.keys()
            left += one.values()
        elif isinstance(one, list):
            left += one
    return False


def without_key(value: object, api_key: str) -> object:
    """Return a task with its sender's key masked in every name and string."""
    key = _own(api_key)

    def cleaned(value: object, depth: int = 0) -> object:
        if isinstance(value, str):
            return value.replace(key, masked(key))
        if depth > _DEEPEST:
            return None
        if isinstance(value, Mapping):
            return {str(cleaned(name)): cleaned(inner, depth + 1) for name, inner in value.items()}
        return [cleaned(inner, depth + 1) for inner in value] if isinstance(value, list) else value

    return cleaned(value)


def _own(api_key: str) -> str:
    """Return the key of `key+plan`, without the name of the fault plan."""
    key, _, _ = api_key.rpartition("+")
    return key if len(key) >= _SECRET_FROM else api_key
