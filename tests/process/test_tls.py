"""https and wss: with a certificate authority of the mock's own, or with the user's certificate."""

import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from websockets.sync.client import connect

import runware_mock
from runware_mock.certificates import ensure_ca
from runware_mock.client import ControlClient, ControlError
from tests.pictures import png
from tests.running import MockProcess, clean_environment, command, mock_process, run_command, running_mock
from tests.talking import TIMEOUT_S, RestTalker, WsTalker, upload

KEY = "a-key-for-tests-0123456789abcdef"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[MockProcess]:
    """Run a server with an authority of its own."""
    with mock_process(data_dir, "--tls", "--tls-name", "mock.ci.internal") as running:
        yield running


@pytest.fixture(scope="module")
def trusting(data_dir: Path, server: MockProcess) -> ssl.SSLContext:
    """Return what a client has that trusts the authority, and nobody else."""
    assert server.url
    return ssl.create_default_context(cafile=data_dir / "tls" / "ca.pem")


def certificate_of(url: str, context: ssl.SSLContext, name: str) -> dict[str, Any]:
    """Return what a server shows to a client that knows it by a name; raises SSLError where it is not its own."""
    with secured(url, context, name) as client:
        return dict(client.getpeercert() or {})


@contextmanager
def secured(url: str, context: ssl.SSLContext, name: str) -> Iterator[ssl.SSLSocket]:
    """Open a connection to a server that is known by a name."""
    host, _, port = url.removeprefix("https://").rpartition(":")
    with (
        socket.create_connection((host, int(port)), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        yield secure


def test_both_transports_are_served_and_tell_their_addresses(server: MockProcess, trusting: ssl.SSLContext) -> None:
    assert server.url.startswith("https://127.0.0.1:")
    assert server.started[-1] == f"runware-mock ready on {server.url}\n"
    picture = png()
    with httpx.Client(verify=trusting, timeout=TIMEOUT_S) as client:
        item = RestTalker(client, server.rest_url, KEY).ask(upload(picture)).item
        assert item["imageURL"].startswith(f"{server.url}/image/ii/")
        assert client.get(item["imageURL"]).content == picture
    assert server.ws_url.startswith("wss://")
    with connect(server.ws_url, ssl=trusting, open_timeout=TIMEOUT_S) as opened:
        item = WsTalker(opened, KEY).ask(upload(picture)).item
        assert item["imageURL"].startswith(f"{server.url}/image/ii/")
        again = WsTalker(opened, KEY).ask(upload(item["imageURL"])).item
        assert again["imageUUID"] != item["imageUUID"]


def test_the_ready_file_holds_both_addresses(data_dir: Path, server: MockProcess) -> None:
    ready = json.loads((data_dir / "ready.json").read_text())
    assert (ready["url"], ready["ws_url"]) == (server.url, server.ws_url)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "mock.ci.internal"])
def test_the_certificate_is_good_for_every_name_of_the_server(
    server: MockProcess, trusting: ssl.SSLContext, name: str
) -> None:
    assert certificate_of(server.url, trusting, name)["issuer"]


def test_it_is_not_for_another_name_nor_without_the_authority(server: MockProcess, trusting: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        certificate_of(server.url, trusting, "api.runware.ai")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get local issuer|self.signed"):
        certificate_of(server.url, ssl.create_default_context(), "localhost")


def test_who_speaks_plainly_or_an_old_version_is_not_served(server: MockProcess, trusting: ssl.SSLContext) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(server.url.replace("https:", "http:"))
    assert certificate_of(server.url, trusting, "localhost")
    trusting_old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting_old.check_hostname = False
    trusting_old.verify_mode = ssl.CERT_NONE
    trusting_old.minimum_version = ssl.TLSVersion.TLSv1_2
    assert certificate_of(server.url, trusting_old, "localhost") == {}


def test_the_authority_is_kept_and_its_key_is_its_owners_alone(data_dir: Path, server: MockProcess) -> None:
    certificate, key = data_dir / "tls" / "ca.pem", data_dir / "tls" / "ca-key.pem"
    assert server.url
    assert [stat.S_IMODE(file.stat().st_mode) for file in (certificate, key)] == [0o644, 0o600]
    assert sorted(file.name for file in certificate.parent.iterdir()) == ["ca-key.pem", "ca.pem"]
    assert not list(data_dir.glob(".tls*"))


def test_the_next_start_uses_the_same_authority(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with mock_process(tmp_path, "--tls") as server:
            seen.append((tmp_path / "tls" / "ca.pem").read_bytes())
            context = ssl.create_default_context(cadata=seen[0].decode())
            assert certificate_of(server.url, context, "localhost")
    assert seen[0] == seen[1]


def test_the_authority_is_told_before_any_server_has_started(tmp_path: Path) -> None:
    folder = {"RUNWARE_MOCK_DATA_DIR": str(tmp_path / "new")}
    path = run_command("ca", "--path", **folder)
    assert (path.returncode, path.stderr) == (0, "")
    file = Path(path.stdout.removesuffix("\n"))
    assert file == tmp_path / "new" / "tls" / "ca.pem"
    assert run_command("ca", **folder).stdout == file.read_text()
    assert file.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in file.read_text()
    with mock_process(tmp_path, "--data-dir", str(tmp_path / "new"), "--tls") as server:
        context = ssl.create_default_context(cafile=file)
        assert httpx.get(server.url + "/health", verify=context, timeout=TIMEOUT_S).status_code == 200


def test_of_two_that_make_an_authority_at_once_one_wins(tmp_path: Path) -> None:
    first = ensure_ca(tmp_path)
    before = first.read_bytes()
    from runware_mock.certificates import _make

    _make(first.parent)
    assert first.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["tls"]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Return a certificate of the user's own, its key, and the authority of both."""
    folder = tmp_path_factory.mktemp("own")
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1", "mock.example.com")
    certificate, key, trusted = folder / "cert.pem", folder / "key.pem", folder / "trusted.pem"
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    leaf.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(trusted)
    return certificate, key, trusted


def test_the_users_own_certificate_is_shown(tmp_path: Path, own: tuple[Path, Path, Path]) -> None:
    certificate, key, trusted = own
    with mock_process(tmp_path, f"--tls-cert={certificate}", f"--tls-key={key}") as server:
        context = ssl.create_default_context(cafile=trusted)
        assert httpx.get(server.url + "/health", verify=context, timeout=TIMEOUT_S).status_code == 200
        assert certificate_of(server.url, context, "mock.example.com")
        assert not (tmp_path / "tls").exists()
        asked = {"RUNWARE_MOCK_TLS_CERT": str(certificate), "RUNWARE_MOCK_PORT": server.url.rpartition(":")[2]}
        assert run_command("ready", **asked).stdout == f"ready on {server.url}\n"
        assert run_command("accounts", **asked, SSL_CERT_FILE=str(trusted)).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--tls-cert", "{cert}"], "--tls-cert and --tls-key belong together"),
        (["--tls-key", "{key}"], "--tls-cert and --tls-key belong together"),
        (["--tls-cert", "/no/such/file", "--tls-key", "{key}"], "cannot use --tls-cert /no/such/file"),
        (["--tls-cert", "{trusted}", "--tls-key", "{key}"], "cannot use --tls-cert"),
        (["--tls-cert", "{key}", "--tls-key", "{cert}"], "cannot use --tls-cert"),
        (["--tls", "--tls-name", "a..b"], "bad value for --tls-name"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    tmp_path: Path, own: tuple[Path, Path, Path], arguments: list[str], word: str
) -> None:
    cert, key, trusted = map(str, own)
    given = [argument.format(cert=cert, key=key, trusted=trusted) for argument in arguments]
    ended = run_command("serve", "--port=0", f"--data-dir={tmp_path}", *given)
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert line.startswith("runware-mock: ")
    assert word in line


def test_a_key_with_a_password_is_not_asked_for_it(tmp_path: Path, own: tuple[Path, Path, Path]) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(own[1].read_bytes(), None)
    locked = tmp_path / "locked.pem"
    encryption = serialization.BestAvailableEncryption(b"secret")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    ended = run_command("serve", "--port=0", f"--data-dir={tmp_path}", f"--tls-cert={own[0]}", f"--tls-key={locked}")
    assert "the key is encrypted" in ended.stderr


def test_a_broken_authority_is_told_in_one_line(tmp_path: Path) -> None:
    ensure_ca(tmp_path).with_name("ca-key.pem").write_text("no key")
    ended = run_command("serve", "--port=0", f"--data-dir={tmp_path}", "--tls")
    (line,) = ended.stderr.splitlines()
    assert f"cannot use the authority in {tmp_path / 'tls'}" in line


def test_without_the_extra_it_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "trustme.py").write_text("raise ImportError")
    line_of_command = command("serve", "--port=0", f"--data-dir={tmp_path}", "--tls")
    hidden = clean_environment(PYTHONPATH=str(tmp_path))
    ended = subprocess.run(line_of_command, check=False, capture_output=True, text=True, env=hidden)
    (line,) = ended.stderr.splitlines()
    assert "--tls needs the extra tls: run pip install '.[tls]'" in line


def test_commands_find_a_server_with_tls_by_the_same_environment(data_dir: Path, server: MockProcess) -> None:
    port = server.url.rpartition(":")[2]
    same = {"RUNWARE_MOCK_TLS": "1", "RUNWARE_MOCK_PORT": port, "RUNWARE_MOCK_DATA_DIR": str(data_dir)}
    assert run_command("ready", **same).stdout == f"ready on {server.url}\n"
    assert run_command("ready", "--url", server.url).returncode == 0
    assert run_command("accounts", **same).returncode == 0
    doctor = run_command("doctor", **same)
    assert (doctor.returncode, doctor.stderr) == (0, "")
    assert "REST: reachable\nWebSocket: reachable\n" in doctor.stdout
    assert "SSL_CERT_FILE=$(runware-mock ca --path)" in doctor.stdout
    assert f'url="wss://127.0.0.1:{port}/v1"' in doctor.stdout


def test_commands_do_not_tell_a_key_to_a_server_they_do_not_trust(tmp_path: Path, server: MockProcess) -> None:
    elsewhere = {"RUNWARE_MOCK_DATA_DIR": str(tmp_path), "RUNWARE_API_KEY": KEY}
    doctor = run_command("doctor", "--url", server.url, **elsewhere)
    assert doctor.returncode == 1
    assert doctor.stdout.count("certificate verify failed") == 2
    control = run_command("media", "list", "--url", server.url, **elsewhere)
    assert control.returncode == 1
    assert "certificate verify failed" in control.stderr


def test_the_control_client_is_told_whom_to_trust(data_dir: Path, tmp_path: Path, server: MockProcess) -> None:
    with ControlClient(server.url, KEY, ca_file=data_dir / "tls" / "ca.pem") as control:
        assert control.status().version == runware_mock.__version__
    with pytest.raises(ControlError, match="cannot use the certificate"):
        ControlClient(server.url, KEY, ca_file=tmp_path / "none.pem")


def test_a_server_in_the_tests_own_process_may_speak_tls(tmp_path: Path) -> None:
    with runware_mock.serve(tls=True, data_dir=tmp_path) as mock:
        told = mock.env()
        assert told["SSL_CERT_FILE"] == told["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "tls" / "ca.pem")
        assert mock.url.startswith("https:")
        program = (
            "import os, httpx; "
            "print(httpx.get(os.environ['RUNWARE_BASE_URL'].removesuffix('/v1') + '/health', timeout=60))"
        )
        environment = {**clean_environment(), **told}
        ended = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, env=environment, check=True, text=True
        )
        assert "200" in ended.stdout
        assert mock.account("another").env()["SSL_CERT_FILE"] == told["SSL_CERT_FILE"]
        assert mock.media.list() == []


@pytest.mark.parametrize(("trusts", "status"), [(True, 0), (False, 60)])
def test_curl_speaks_it_where_the_environment_says_so(
    data_dir: Path, server: MockProcess, *, trusts: bool, status: int
) -> None:
    """Its own variables, which some machines set, would come before ours."""
    environment = {"PATH": os.environ["PATH"]}
    if trusts:
        environment["SSL_CERT_FILE"] = str(data_dir / "tls" / "ca.pem")
    curl = ["curl", "-sS", f"{server.url}/health"]
    ended = subprocess.run(curl, capture_output=True, env=environment, check=False)
    assert ended.returncode == status
    assert (b'"status":"ok"' in ended.stdout) is trusts


def test_the_token_of_the_page_is_sent_over_tls_alone(tmp_path: Path) -> None:
    with mock_process(tmp_path, "--tls", "--control-token", "open sesame") as server:
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
        page, headers = server.url + "/?token=open%20sesame", {"Accept": "text/html"}
        answer = httpx.get(page, verify=context, headers=headers, timeout=TIMEOUT_S)
        assert "secure" in answer.headers["set-cookie"].lower()


def test_a_body_that_stalls_is_answered_408_and_closed_over_tls_too(tmp_path: Path) -> None:
    head = b"POST /v1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    with running_mock(tls=True, data_dir=tmp_path, stall_timeout="500ms") as mock:
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
        with secured(mock.url, context, "localhost") as client:
            client.sendall(head)
            answer = b""
            while chunk := client.recv(65536):
                answer += chunk
            assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("kind", ["reset", "empty", "truncate", "vanish"])
def test_planned_faults_are_met_over_tls_too(tmp_path: Path, kind: str) -> None:
    with runware_mock.serve(tls=True, data_dir=tmp_path) as mock:
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
        mock.faults.plan({"kind": kind})
        headers = {"Authorization": f"Bearer {mock.api_key}"}
        try:
            answer = httpx.post(mock.rest_url, json=[upload(png())], headers=headers, verify=context, timeout=TIMEOUT_S)
            assert (kind, answer.status_code) == ("vanish", 200)
        except httpx.HTTPError:
            assert kind != "vanish"
        assert not mock.faults.unmet()
