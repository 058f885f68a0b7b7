"""Ask a server whether it is ready, by what Python brings: scripts wait for the answer of `runware-mock ready`."""

import http.client
import json
import urllib.error
import urllib.request
from typing import Any


def problem_at(url: str) -> str | None:
    """Return what keeps the server from being ready, or None."""
    # A proxy that the environment names has nothing to do with a server on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *_handlers(url))
    try:
        with opener.open(url + "/health", timeout=5) as answer:
            if "X-Runware-Mock" not in answer.headers:
                return "something else answers there"
            json.load(answer)
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except http.client.HTTPException as error:
        return f"no web server answers there ({str(error).strip()})"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
    return None


def _handlers(url: str) -> list[Any]:
    """Return how a server with TLS is asked: whoever it is, it is only asked whether it is there."""
    if not url.startswith("https:"):
        return []
    from runware_mock.certificates import unverified_context

    return [urllib.request.HTTPSHandler(context=unverified_context())]
