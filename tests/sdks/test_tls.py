"""The official SDKs over https and wss: what makes them trust the mock is one variable of their environment."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runware_mock.certificates import ca_file
from tests.running import RunningMock, running_mock
from tests.sdks.answers import assert_worked
from tests.sdks.catalogue import PROCESS_LIMIT_S, PY_NEW_REST, PY_NEW_WS, SDK_JS, SDKS, Sdk
from tests.sdks.gallery import Picture

pytestmark = pytest.mark.timeout(PROCESS_LIMIT_S + 20)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def secure_mock(data_dir: Path) -> Iterator[RunningMock]:
    """Run a server with TLS."""
    with running_mock(tls=True, data_dir=data_dir) as mock:
        yield mock


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_an_sdk_that_trusts_the_authority_uploads_as_ever(
    sdk: Sdk, secure_mock: RunningMock, data_dir: Path, api_key: str, picture: Picture
) -> None:
    outcome = sdk.run("upload", sdk.url(secure_mock), api_key, picture.path, trusted=ca_file(data_dir))
    assert_worked(outcome)
    url = outcome["results"][0]["imageURL"]
    assert url.startswith("https://")
    context = ssl.create_default_context(cafile=ca_file(data_dir))
    assert httpx.get(url, verify=context, trust_env=False).content == picture.path.read_bytes()


@pytest.mark.parametrize("sdk", [PY_NEW_REST, PY_NEW_WS, SDK_JS], ids=str)
def test_one_that_does_not_trust_it_sends_nothing(
    sdk: Sdk, secure_mock: RunningMock, api_key: str, picture: Picture
) -> None:
    assert not sdk.run("upload", sdk.url(secure_mock), api_key, picture.path, limit_s=8)["ok"]
    assert secure_mock.services.accounts.known(api_key) is None
