"""Loopback ports: kept from one start to the next where they are still free."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """A port the user asked for is in use."""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_ports(
    names: Iterable[str], remembered: Mapping[str, int], wanted: Mapping[str, int]
) -> dict[str, int]:
    """One free port a name: the wanted one, else the remembered one, else any.

    Raises `PortTaken` for a wanted one in use.
    """
    for name, port in wanted.items():
        if port and not is_free(port):
            raise PortTaken(f"port {port} for {name} is in use; choose another or leave it out")
    chosen: dict[str, int] = {}
    held: list[socket.socket] = []
    for name in names:
        port = wanted.get(name, 0) or remembered.get(name, 0)
        chosen[name] = port if port and is_free(port) and port not in chosen.values() else _any_port(held)
    for probe in held:
        probe.close()
    return chosen


def _any_port(held: list[socket.socket]) -> int:
    probe = socket.socket()
    probe.bind((LOOPBACK, 0))
    held.append(probe)
    port: int = probe.getsockname()[1]
    return port
