"""TLS: a local certificate authority in the data folder, and the SSL contexts of server and client.

Only making certificates needs `runware-mock[tls]`.
"""

import os
import ssl
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from runware_mock.clock import SystemClock
from runware_mock.settings import ENV_PREFIX, Settings, default_data_dir

_FOLDER = "tls"
_CERTIFICATE = "ca.pem"
_KEY = "ca-key.pem"
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
# Apple's systems accept no longer validity under an authority that a user has added.
_VALID = timedelta(days=825)
# The clocks of other machines may be slow.
_VALID_SINCE = timedelta(days=1)


class TlsUnusable(Exception):
    """There is no usable certificate; the message is for the user."""


def ca_file(data_dir: Path) -> Path:
    """Return the path of the authority's certificate, whether or not it exists."""
    return data_dir / _FOLDER / _CERTIFICATE


def ensure_ca(data_dir: Path) -> Path:
    """Return the path of the authority's certificate, creating the authority if needed; raises TlsUnusable."""
    file = ca_file(data_dir)
    try:
        if not file.exists():
            data_dir.mkdir(0o700, parents=True, exist_ok=True)
            _make(file.parent)
    except OSError as error:
        raise TlsUnusable(f"cannot create a certificate authority in {file.parent}: {error.strerror}") from error
    return file


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """Return the context of a server with these settings, or None without TLS; raises TlsUnusable."""
    if not settings.uses_tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    if settings.tls_cert is not None:
        try:
            context.load_cert_chain(settings.tls_cert, settings.tls_key, password=_no_password)
        except (OSError, ValueError) as error:
            raise TlsUnusable(f"cannot use --tls-cert {settings.tls_cert} with --tls-key: {_why(error)}") from error
        return context
    file = ensure_ca(settings.data_dir)
    now = datetime.fromtimestamp(SystemClock().now_at() / 1000, UTC)
    try:
        authority = _authority_class().from_pem(file.read_bytes(), file.with_name(_KEY).read_bytes())
    except (OSError, ValueError) as error:
        raise TlsUnusable(f"cannot use the authority in {file.parent} ({_why(error)}): remove that folder") from error
    try:
        leaf = authority.issue_cert(*_names(settings), not_before=now - _VALID_SINCE, not_after=now + _VALID)
    except ValueError as error:
        raise TlsUnusable(f"bad value for --tls-name: {_why(error)}") from error
    leaf.configure_cert(context)
    return context


def client_context(trusted: Path | None = None) -> ssl.SSLContext:
    """Return a context that trusts the usual authorities (or those of SSL_CERT_FILE) and `trusted`.

    `trusted` defaults to the authority of a server with this environment, if there is one.
    """
    context = ssl.create_default_context()
    # `trusted` may be the certificate of the server itself.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    file = trusted or ca_file(Path(os.environ.get(f"{ENV_PREFIX}DATA_DIR") or default_data_dir()))
    if trusted is not None or file.exists():
        context.load_verify_locations(file)
    return context


def _make(folder: Path) -> None:
    authority = _authority_class()(
        organization_name="runware-mock", organization_unit_name="local authority", path_length=0
    )
    with TemporaryDirectory(dir=folder.parent, prefix=f".{_FOLDER}-") as made:
        # Nobody else can look into a temporary folder while its files have their first modes.
        new = Path(made) / _FOLDER
        new.mkdir()
        for name, blob, mode in ((_KEY, authority.private_key_pem, 0o600), (_CERTIFICATE, authority.cert_pem, 0o644)):
            blob.write_to_path(new / name)
            (new / name).chmod(mode)
        new.chmod(0o755)
        # Both files appear at once; if another process was faster, its files stay.
        with suppress(OSError):
            new.rename(folder)
    if not (folder / _CERTIFICATE).exists():
        raise FileExistsError(0, f"{folder} exists, but holds no certificate")


def _names(settings: Settings) -> Iterable[str]:
    host = () if settings.host in _EVERY_ADDRESS else (settings.host,)
    public = urlsplit(settings.public_url or "").hostname
    return dict.fromkeys((*_LOCAL_NAMES, *host, *((public,) if public else ()), *settings.tls_name))


def _authority_class() -> Any:
    try:
        from trustme import CA
    except ImportError:
        raise TlsUnusable(
            "--tls needs the extra tls: run pip install '.[tls]' in the checkout, or give --tls-cert and --tls-key"
        ) from None
    return CA


def _no_password() -> str:
    """Keep OpenSSL from asking for a password on the terminal."""
    raise ValueError("the key is encrypted")


def _why(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", None) or error).split())
