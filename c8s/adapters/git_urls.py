"""Which repository addresses c8s talks to.

Allowed are `https://host[:port]/path`, `ssh://[user@]host[:port]/path` and `[user@]host:path`. The
host's addresses must be public. A host (or `host:port`) that the administrator allows may also be
loopback, link-local or private, and may be spoken to by plain http.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from c8s.adapters.git_errors import BadUrl, RepositoryUnreachable

URL_LIMIT = 2048
DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22}

Lookup = Callable[[str, int], list[str]]
"""Host name and port → its addresses; raises `RepositoryUnreachable`."""

_PRINTABLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"(?!-)[a-z0-9._-]{1,253}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_SCP_FORM = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>[^@/:\[\]]+):(?P<path>(?!//).+)")
_EMBEDDED_IPV4 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class RepositoryUrl:
    """A repository's address in parts, without any secret. `host` is in lower case, IPv6 without brackets."""

    scheme: str
    user: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{user}{self.bracketed_host}{port}{self.path}"

    @property
    def bracketed_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def origin(self) -> tuple[str, str, int]:
        """Who gets the credentials: two addresses with the same origin are the same server."""
        return self.scheme, self.host, self.port


def parse_repository_url(text: str, allowed_hosts: Collection[str] = ()) -> RepositoryUrl:
    """The address in `text`, checked by the rules above. Raises `BadUrl`."""
    if not text or len(text) > URL_LIMIT or not _PRINTABLE.fullmatch(text) or text.startswith("-"):
        raise BadUrl(
            "a repository address is 1 to 2048 printable ASCII characters and does not start with '-'"
        )
    url = _parse_url(text) if "://" in text else _parse_scp_form(text)
    if url.scheme == "http" and not is_allowed(url, allowed_hosts):
        raise BadUrl(f"plain http is not allowed for {url.host}; use https")
    if "::" in url.path or url.path.strip("/") == "" or "?" in url.path or "#" in url.path:
        raise BadUrl(f"{url.path!r} is not the path of a repository")
    return url


def _parse_url(text: str) -> RepositoryUrl:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadUrl("the repository's address is not a URL") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise BadUrl(f"{parts.scheme}: is not allowed for repositories; use https or ssh")
    if parts.password is not None:
        raise BadUrl(
            "a repository address must not hold a password; put it in a Secret and name it in authSecretRef"
        )
    if parts.query or parts.fragment:
        raise BadUrl("a repository address has no '?' and no '#'")
    user = _check_user(parts.username or "")
    return RepositoryUrl(
        scheme=parts.scheme,
        user=user if parts.scheme == "ssh" else "",  # that of https is the credentials' business
        host=_check_host(parts),
        port=DEFAULT_PORTS[parts.scheme] if port is None else port,
        path=parts.path,
    )


def _check_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            return str(ipaddress.IPv6Address(host.replace("%", " ")))  # no zone of this machine
        except ValueError as error:
            raise BadUrl(f"{host!r} is not an IPv6 address") from error
    if not _HOST.fullmatch(host):
        raise BadUrl(f"{host!r} is not a host name")
    return host


def _check_user(user: str) -> str:
    if user and not _USER.fullmatch(user):
        raise BadUrl(f"{user!r} is not a user name")
    return user


def _parse_scp_form(text: str) -> RepositoryUrl:
    match = _SCP_FORM.fullmatch(text)
    host = match["host"].lower() if match else ""
    if not match or not _HOST.fullmatch(host) or match["path"].startswith((":", "-")):
        raise BadUrl(f"{text!r} is not a repository's address; write https://host/path or git@host:path")
    path = match["path"]
    return RepositoryUrl(
        scheme="ssh",
        user=_check_user(match["user"] or ""),
        host=host,
        port=22,
        path=path if path.startswith("/") else f"/{path}",
    )


def is_allowed(url: RepositoryUrl, allowed_hosts: Collection[str]) -> bool:
    """Whether the administrator lets repositories lie on this host although it is not public."""
    names = {url.host, url.bracketed_host, f"{url.bracketed_host}:{url.port}"}
    return any(allowed.strip().lower() in names for allowed in allowed_hosts if allowed.strip())


def look_up(host: str, port: int) -> list[str]:
    """The host's addresses as the system's resolver gives them. Raises `RepositoryUnreachable`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RepositoryUnreachable(f"the name {host} can't be resolved") from error
    return sorted({str(entry[4][0]) for entry in found})


def check_addresses(
    url: RepositoryUrl, allowed_hosts: Collection[str] = (), lookup: Lookup = look_up
) -> tuple[str, ...]:
    """The host's public addresses, for the connection to be pinned to; empty for an allowed host.

    Pinned, a name can't be moved between check and use. Raises `BadUrl` when any address is not public.
    """
    if is_allowed(url, allowed_hosts):
        return ()
    addresses = lookup(url.host, url.port)
    if not addresses:
        raise RepositoryUnreachable(f"the name {url.host} has no address")
    for address in addresses:
        if not is_public(address):
            raise BadUrl(
                f"{url.host} is a loopback, link-local or private address ({address}); "
                "an administrator may allow the host in C8S_ALLOWED_HOSTS"
            )
    return tuple(addresses)


def is_public(address: str) -> bool:
    """Whether the address is one of the Internet; so must be an IPv4 address inside an IPv6 one."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return all(inner.is_global and not inner.is_multicast for inner in (parsed, *_embedded(parsed)))


def _embedded(address: IPAddress) -> list[IPAddress]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    teredo = address.teredo or ()
    inside: list[IPAddress] = [found for found in (address.ipv4_mapped, address.sixtofour, *teredo) if found]
    if any(address in network for network in _EMBEDDED_IPV4):
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return inside
