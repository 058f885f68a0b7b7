"""Control calls as bare HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests import plain
from tests.running import MockProcess, RunningMock


class Calls:
    """Calls for one account, or without a key for all."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str, **query: str | int) -> Any:
        """Return what a GET answers with."""
        return self._answer(self.client.get(path, params=query))

    def post(self, path: str, /, content: bytes | None = None, query: dict[str, str] | None = None, **body: Any) -> Any:
        """Return what a POST answers with."""
        given: dict[str, Any] = {"json": body} if content is None else {"content": content}
        return self._answer(self.client.post(path, params=query, **given))

    def delete(self, path: str) -> Any:
        """Return what a DELETE answers with."""
        return self._answer(self.client.delete(path))

    def refused(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Return status and error of a call that must be refused."""
        answer = self.client.request(method, path, **options)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["error"]

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def calling(mock: RunningMock | MockProcess, api_key: str | None) -> Iterator[Calls]:
    """Open a client of the control API."""
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    with plain.Client(base_url=f"{mock.url}/_mock", headers=headers, timeout=60) as client:
        yield Calls(client)
