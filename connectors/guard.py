"""Where a call may go: the address is looked up once, judged, and connected to as judged.

Looking a name up twice (to judge it, then to connect) would let a name server answer differently the second time, and
lead us into our own network. So the judging sits in the connection itself, before its first byte.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import suppress
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from connectors.errors import AddressForbidden

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_EMBEDDED = 0xFFFFFFFF


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet at large, also when it is an IPv4 address in IPv6 clothes."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & _EMBEDDED)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


class Guard:
    """Judges the addresses of one site, and can cut the connection that is open."""

    def __init__(self, url: str, *, allow_private: bool) -> None:
        self._url = url
        self._allow_private = allow_private
        self._lock = threading.Lock()
        self._twin: socket.socket | None = None  # a second handle on the open connection, alive through TLS wrapping

    def connect(self, host: str, port: int, timeout: Any, options: Any) -> socket.socket:
        """A connection to ``host``, at an address that was judged.

        :raises AddressForbidden: one of its addresses is private, and that was not allowed
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise socket.gaierror(socket.EAI_NONAME, "not a name") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not self._allow_private and not is_public(address):
                raise AddressForbidden(url=self._url, address=address)
        last: OSError = OSError("the name has no address")
        for address in addresses:
            try:
                sock = urllib3.util.connection.create_connection((address, port), timeout, socket_options=options)
            except OSError as error:
                last = error
            else:
                self._remember(sock)
                return sock
        raise last

    def _remember(self, sock: socket.socket | None) -> None:
        with self._lock:
            if self._twin is not None:
                self._twin.close()
            self._twin = sock.dup() if sock is not None else None

    def forget(self) -> None:
        """Give the second handle back."""
        self._remember(None)

    def cut(self, late: threading.Event) -> None:
        """End the open connection at once, whatever it is waiting for, and note so in ``late``."""
        late.set()
        with self._lock, suppress(OSError):
            if self._twin is not None:
                self._twin.shutdown(socket.SHUT_RDWR)


def _guarded(guard: Guard) -> tuple[type[HTTPConnectionPool], type[HTTPSConnectionPool]]:
    """Connection pools whose connections ask ``guard``. Classes, because urllib3 makes the connections itself."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self.host, self.port, self.timeout, self.socket_options)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self.host, self.port or 443, self.timeout, self.socket_options)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return PlainPool, TlsPool


class GuardedAdapter(HTTPAdapter):
    """What requests sends through: no retries of its own, one connection at a time, each judged by a `Guard`."""

    def __init__(self, url: str, *, allow_private: bool) -> None:
        self._guard = Guard(url, allow_private=allow_private)
        self.cut = self._guard.cut
        self.forget = self._guard.forget
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Called by requests when the adapter is made."""
        super().init_poolmanager(*args, **kwargs)
        plain, tls = _guarded(self._guard)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": plain, "https": tls}


def reason_of(error: BaseException) -> str:
    """Why a call failed, in a few plain words. Never the library's own text: that may quote what was sent."""
    seen: BaseException | None = error
    chain: list[BaseException] = []
    while seen is not None and seen not in chain:
        chain.append(seen)
        inner = getattr(seen, "reason", None)
        arguments = [one for one in (inner, *seen.args) if isinstance(one, BaseException)]
        seen = arguments[0] if arguments else seen.__cause__ or seen.__context__
    for kind, words in _REASONS:
        if any(isinstance(one, kind) for one in chain):
            return words
    return f"{type(chain[-1]).__name__}"


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its name is not known"),
    (ConnectionRefusedError, "nothing listens there"),
    (ConnectionResetError, "the connection was broken off"),
    (requests.exceptions.ConnectTimeout, "no connection in time"),
    (requests.exceptions.ReadTimeout, "no answer in time"),
    (urllib3.exceptions.ReadTimeoutError, "it stopped answering"),
    (TimeoutError, "no answer in time"),
    (requests.exceptions.SSLError, "its certificate is not trusted or not for this name"),
    (urllib3.exceptions.IncompleteRead, "fewer bytes than announced"),
    (urllib3.exceptions.DecodeError, "its compression is broken"),
    (ConnectionError, "the connection was closed without an answer"),
)
