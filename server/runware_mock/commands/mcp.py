"""`runware-mock mcp`: the control API as tools of an agent, over the Model Context Protocol."""

import signal
import socket
import sys
from contextlib import ExitStack, suppress

import click

from runware_mock.commands.base import EXIT_USAGE, Call, account_option, fail, token_option, url_option

# Not an option: whoever reaches it acts with the account and the token of whoever started it.
_HOST = "127.0.0.1"


@click.command("mcp")
@url_option
@account_option()
@token_option
@click.option("--http", is_flag=True, help=f"Serve streamable HTTP on {_HOST} instead of standard input and output.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port for --http; 0: any free one."
)
def mcp(url: str, account: str | None, token: str | None, *, http: bool, port: int) -> None:
    """Let an agent control a running server.

    This is a server of the Model Context Protocol. It needs the extra mcp: run pip install '.[mcp]' in the checkout.
    The agent starts this command itself. With --http, it runs until stopped, and any number of agents on this machine
    can use it.
    """
    try:
        from runware_mock.commands import mcp_tools
    except ImportError as error:  # an older version lacks what a newer one has
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        fail(
            "`runware-mock mcp` needs the package mcp 2.3 or newer: run pip install '.[mcp]' in the checkout",
            EXIT_USAGE,
        )
    with ExitStack() as cleanup, suppress(KeyboardInterrupt):
        server = mcp_tools.server_for(Call(url.rstrip("/"), account, token))
        if not http:
            # Python's own handler would wait for the thread that reads standard input.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            server.run()
            return
        try:
            bound = cleanup.enter_context(socket.create_server((_HOST, port)))
        except OSError as error:
            fail(f"cannot listen on {_HOST}:{port}: {error.strerror}", EXIT_USAGE)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        address = f"{_HOST}:{bound.getsockname()[1]}"
        click.echo(f"runware-mock mcp ready on http://{address}/mcp")
        mcp_tools.serve_http(server, bound)
