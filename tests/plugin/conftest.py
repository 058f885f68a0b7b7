"""Fixtures: a project of somebody else's, whose tests use the plugin as installed."""

import os

import httpx
import pytest

from runware_mock.testing import serve

APPLICATION = """
import base64, uuid
import httpx

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

def ask(mock, task):
    headers = {"Authorization": "Bearer " + mock.api_key}
    task = {"taskUUID": str(uuid.uuid4()), **task}
    return httpx.post(mock.rest_url, headers=headers, json=[task], trust_env=False, verify=False, timeout=60).json()

def upload(mock, picture=PICTURE):
    return ask(mock, {"taskType": "imageUpload", "image": base64.b64encode(picture).decode()})
"""


@pytest.fixture(scope="session", autouse=True)
def everything_is_imported() -> None:
    """Import what a run in this process would import: pytester forgets what was imported within one."""
    with serve() as mock:
        httpx.get(mock.url).close()
        mock.control.status()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with an application that uploads, and no setting of the mock in its environment."""
    for name in list(os.environ):
        if name.startswith(("RUNWARE_MOCK_", "PYTEST_XDIST_")):
            monkeypatch.delenv(name)
    pytester.makepyfile(app=APPLICATION)
    return pytester
