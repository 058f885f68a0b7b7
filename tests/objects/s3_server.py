"""What stands in for S3: moto's server, in a process of its own. Run as a script it serves until it is killed."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tests import plain

MISSING = [name for name in ("moto", "flask", "flask_cors", "obstore") if importlib.util.find_spec(name) is None]
BUCKET = "pictures"
SECRET = "a-secret-access-key-of-nobody"  # noqa: S105 - the stand-in takes any
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "an-access-key", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server with one bucket; yield its address."""
    with subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            plain.put(f"{url}/{BUCKET}", timeout=30).raise_for_status()
            yield url
        finally:
            process.kill()


@contextmanager
def credentials() -> Iterator[None]:
    """Give this process what every user of S3 has in the environment."""
    with mock.patch.dict(os.environ, CREDENTIALS):
        yield


def _serve() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve()
