"""Serve the pictures of URL uploads: `python -m bench.host PORT`; `/KEY/NUMBER` is one variant of a picture."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.workloads import WAYS

SOURCES = {source.key: source for workload in WAYS for source in workload.sources}


class Host(BaseHTTPRequestHandler):
    """Answers with the file of a number."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        _, key, number = self.path.split("/")
        source = SOURCES[key]
        body = source.variants.file(int(number))
        self.send_response(200)
        self.send_header("Content-Type", f"image/{source.picture.kind.lower()}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Host).serve_forever()
