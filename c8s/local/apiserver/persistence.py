"""The table's rows in SQLite: what was acknowledged survives the process's sudden death."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from c8s.local.apiserver.object_table import Key, Row

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    storage_key TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (storage_key, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
INSERT OR IGNORE INTO counter VALUES (1, 1);
"""
_LOAD = """
SELECT storage_key, namespace, name, body FROM objects
ORDER BY storage_key != 'customresourcedefinitions.apiextensions.k8s.io'
"""
_PUT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)"
_REMOVE = "DELETE FROM objects WHERE storage_key = ? AND namespace = ? AND name = ?"


class SqlitePersistence:
    """One file, write-ahead log, one process. Only a loss of power can lose the last writes."""

    def __init__(self, file: Path) -> None:
        # The store calls from whichever thread writes, one at a time.
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(_SCHEMA)

    def load(self) -> tuple[int, Iterable[tuple[Key, bytes]]]:
        """The last version, and every object, definitions first so that their kinds are known."""
        (version,) = self._connection.execute("SELECT version FROM counter").fetchone()
        rows = self._connection.execute(_LOAD)
        return version, ((Key(*where), body) for *where, body in rows)

    def save(self, rows: list[Row], version: int) -> None:
        """All rows or none; raises `sqlite3.Error` when the disk refuses."""
        self._connection.execute("BEGIN")
        try:
            for key, body in rows:
                if body is None:
                    self._connection.execute(_REMOVE, key)
                else:
                    self._connection.execute(_PUT, (*key, body))
            self._connection.execute("UPDATE counter SET version = ?", (version,))
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._connection.close()
