"""`xueshi serve`: the pages, the worker and the clock, in one process or split over machines."""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer

from agent.boot import start
from agent.cli import web
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


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    pages: Annotated[bool, typer.Option("--web", help="Only the pages.")] = False,
    worker: Annotated[bool, typer.Option("--worker", help="Only the worker: pulls, credits, issues.")] = False,
    clock: Annotated[bool, typer.Option("--clock", help="Only the clock: asks for pulls when they are due.")] = False,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Jobs that the worker does at the same time.")] = 2,
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Processes for the pages (with --web one a core, up to 4; otherwise 1)."),
    ] = None,
) -> None:
    """Serve the pages, do the work that is due and keep the clock, until interrupted.

    Named parts run alone, on as many machines as wanted, on one DATABASE_URL: --web, --worker, --clock.
    """
    start()
    everything = not (pages or worker or clock)
    signal.signal(signal.SIGTERM, _leave)
    with _working(worker=worker or everything, clock=clock or everything, concurrency=concurrency):
        if pages or everything:
            listen(host, port, processes or (web.cores() if pages else 1))
        else:
            person.print(f"{'、'.join(_names(worker=worker, clock=clock))}  （Ctrl+C 结束）")
            _until_interrupted()


def _leave(*_: object) -> NoReturn:
    """SIGTERM ends like Ctrl+C: everything in its order, and without a word."""
    raise SystemExit(0)


def _names(*, worker: bool, clock: bool) -> list[str]:
    return ["工作进程 worker"] * worker + ["时钟 clock"] * clock


@contextmanager
def _working(*, worker: bool, clock: bool, concurrency: int) -> Iterator[None]:
    from agent.work.clock import Clock  # noqa: PLC0415 - models need Django
    from agent.work.worker import Worker  # noqa: PLC0415

    parts: list[Any] = ([Worker(concurrency)] if worker else []) + ([Clock()] if clock else [])
    for part in parts:
        part.start()
    try:
        yield
    finally:
        for part in reversed(parts):  # the clock first: what it asks for now would only wait
            part.stop()


def _until_interrupted() -> None:
    try:
        threading.Event().wait()
    except (KeyboardInterrupt, SystemExit):
        return


def listen(host: str, port: int, processes: int = 1) -> None:
    """Serve the pages on ``host:port``, in this process or in ``processes`` of their own; returns when told to stop."""
    sockets = _sockets(host, port)
    person.print(f"http://{host}:{port}  （Ctrl+C 结束）", markup=False)
    if processes == 1:
        web.answer(sockets)
        return
    with web.children(sockets, processes):
        _until_interrupted()


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
