"""`xueshi serve`: the portal."""

from __future__ import annotations

import errno
import socket
from typing import Annotated

import typer

from agent.boot import start
from agent.cli.output import person
from agent.errors import XueshiError

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 behind a proxy only.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]


class PortTaken(XueshiError):
    """{host}:{port} can't be listened on: {reason}."""

    code = "E_PORT"
    fix = "Choose another with --port, or stop what listens there."


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(serve)


def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the portal until interrupted."""
    start()
    listen(host, port)


def listen(host: str, port: int) -> None:
    """Serve WSGI on ``host:port`` in this process; returns when told to stop."""
    from waitress import create_server  # noqa: PLC0415

    from agent.wsgi import application  # noqa: PLC0415

    server = create_server(
        application, sockets=_sockets(host, port), threads=8, ident=None, clear_untrusted_proxy_headers=True
    )
    person.print(f"http://{host}:{port}  （Ctrl+C 结束）", markup=False)
    try:
        server.run()
    finally:
        server.close()


def _sockets(host: str, port: int) -> list[socket.socket]:
    """Listening on every address of ``host`` that this machine has (localhost: of both kinds)."""
    found: list[socket.socket] = []
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, *_, address in places:
            try:
                found.append(socket.create_server(address, family=family))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) or len(places) == 1:
                    raise
    except (OSError, UnicodeError) as error:
        for each in found:
            each.close()
        raise PortTaken(host=host, port=port, reason=getattr(error, "strerror", None) or "no such host") from None
    return found
