"""The process: a socket on loopback, TLS, and the files that tell others how to reach it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path

import orjson
import uvicorn

from c8s.local.apiserver.app import ApiServer, create_app
from c8s.local.apiserver.bootstrap import create_first_objects
from c8s.local.apiserver.certificates import ensure_certificates
from c8s.local.apiserver.persistence import SqlitePersistence
from c8s.local.apiserver.private_files import write_private
from c8s.local.apiserver.store import Store
from c8s.local.apiserver.tokens import ADMIN_USER, MASTERS, TokenFile, add_user_token, write_kubeconfig

CONNECTION_FILE = "apiserver.json"
# Apart from the connection file, which others delete to see when a new one comes.
_PORT_FILE = "apiserver.port"
_HOST = "127.0.0.1"
_BACKLOG = 2048
_EVENT_SWEEP_SECONDS = 60.0


def serve(state_dir: Path, port: int = 0) -> None:
    """Serve until SIGTERM or SIGINT. `port` 0 = the one of the last time, or else a free one.

    Once it listens, `state_dir` holds `kubeconfig` and `apiserver.json`, both mode 600. The latter is
    `{"url","ca","adminToken","port","kubeconfig"}`, `ca` and `kubeconfig` being paths. Raises `OSError` when
    the port is taken.
    """
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority, certificate, key = ensure_certificates(state_dir)
    persistence = SqlitePersistence(state_dir / "cluster.db")
    store = Store(clock=lambda: datetime.now(UTC), new_uid=lambda: str(uuid.uuid4()), persistence=persistence)
    create_first_objects(store)
    server = ApiServer(store, TokenFile(state_dir), _signing_key(state_dir))
    with _listen(port or _last_port(state_dir), strict=bool(port)) as listener:
        config = uvicorn.Config(
            create_app(server),
            ssl_certfile=certificate,
            ssl_keyfile=key,
            log_level="critical",
            access_log=False,
            lifespan="off",
            backlog=_BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        _Process(config, server, state_dir, authority).run(sockets=[listener])
    persistence.close()


class _Process(uvicorn.Server):
    """Tells where it is once it listens, and ends the watches when it stops."""

    def __init__(self, config: uvicorn.Config, server: ApiServer, state_dir: Path, authority: Path) -> None:
        super().__init__(config)
        self._api = server
        self._state_dir = state_dir
        self._authority = authority
        self._sweep: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        self._write_connection(sockets[0].getsockname()[1])
        self._sweep = asyncio.create_task(self._remove_old_events())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweep
        self._api.watches.close()
        await super().shutdown(sockets)

    async def _remove_old_events(self) -> None:
        while True:
            await asyncio.sleep(_EVENT_SWEEP_SECONDS)
            self._api.store.remove_old_events()

    def _write_connection(self, port: int) -> None:
        url = f"https://{_HOST}:{port}"
        token = add_user_token(self._state_dir, ADMIN_USER, [MASTERS])
        write_kubeconfig(self._state_dir / "kubeconfig", url, self._authority.read_text(), token)
        connection = {
            "url": url,
            "ca": str(self._authority),
            "adminToken": token,
            "port": port,
            "kubeconfig": str(self._state_dir / "kubeconfig"),
        }
        write_private(self._state_dir / _PORT_FILE, str(port).encode())
        write_private(self._state_dir / CONNECTION_FILE, orjson.dumps(connection, option=orjson.OPT_INDENT_2))


def _listen(port: int, *, strict: bool) -> socket.socket:
    """A listening socket; the port of the last time may be somebody else's by now, one that was asked
    for may not."""
    # With the protocol named, or asyncio doesn't set TCP_NODELAY and every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError:
        if strict:
            listener.close()
            raise
        listener.bind((_HOST, 0))
    listener.listen(_BACKLOG)
    return listener


def _last_port(state_dir: Path) -> int:
    file = state_dir / _PORT_FILE
    return int(file.read_text()) if file.exists() else 0


def _signing_key(state_dir: Path) -> bytes:
    file = state_dir / "account-token.key"
    if not file.exists():
        write_private(file, secrets.token_bytes(32))
    return file.read_bytes()
