"""Settings read from a given mapping of environment variables, with all problems told at once.

variables = Variables(environment)
settings = Settings(url=variables.url("C8S_URL"), log_level=variables.choice("C8S_LOG_LEVEL", LEVELS, "info"))
variables.check()
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """One or more settings are missing or wrong; `problems` has one sentence each, naming the variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            "the settings can't be used:\n" + "\n".join(f"  - {problem}" for problem in problems)
        )
        self.problems = problems


class Variables:
    """Reads variables one by one and remembers what is wrong, until `check()` raises it.

    After a problem a reader returns a value of the right type, so that reading goes on and finds the others.
    An empty variable counts as one that is not set: that is what an unset key of a ConfigMap looks like.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._problems: list[str] = []

    def check(self) -> None:
        """Raises `SettingsError` if anything read so far was wrong."""
        if self._problems:
            raise SettingsError(self._problems)

    def reject(self, problem: str) -> None:
        """Adds what only several settings together show to be wrong."""
        self._problems.append(problem)

    def text(self, name: str, default: str | None = None) -> str:
        """The variable's value without surrounding space. Required when there is no default."""
        value = self._environment.get(name, "").strip()
        if not value and default is None:
            self._problems.append(f"{name} is not set: set it in the service's environment")
        return value or default or ""

    def secret(self, name: str, *, min_length: int) -> str:
        """A required value that never appears in a message."""
        value = self.text(name)
        if value and len(value) < min_length:
            self._problems.append(
                f"{name} has {len(value)} characters, at least {min_length} are needed: "
                "make one with `openssl rand -hex 32`"
            )
        return value

    def url(self, name: str, default: str | None = None) -> str:
        """An http or https address with a host, without a trailing slash, user or query."""
        value = self.text(name, default)
        if value and not _is_plain_http_url(value):
            self._problems.append(
                f"{name} must be an address like https://c8s.example.com, without user or query"
            )
        return value.rstrip("/")

    def secrets(self, name: str, *, min_length: int) -> tuple[str, ...]:
        """A comma-separated list of one or more values that never appear in a message."""
        self.text(name)
        words = self.words(name)
        if any(len(word) < min_length for word in words):
            self._problems.append(
                f"{name} has a key with fewer than the {min_length} characters that are needed: "
                "make one with `openssl rand -hex 32`"
            )
        return words

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """A whole number between `minimum` and `maximum`."""
        value = self.text(name, str(default))
        # Python takes "1_000" and "٣" for numbers; a setting that only looks like one is a mistake.
        if not (value.isascii() and value.isdigit() and minimum <= int(value) <= maximum):
            self._problems.append(f"{name} must be a whole number from {minimum} to {maximum}, not {value!r}")
            return default
        return int(value)

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """One of `choices`."""
        value = self.text(name, default)
        if value not in choices:
            self._problems.append(f"{name} must be one of {', '.join(choices)}, not {value!r}")
            return default
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """A comma-separated list, empty when not set."""
        return tuple(word.strip() for word in self.text(name, "").split(",") if word.strip())

    def words_of(self, name: str, count: int) -> tuple[str, ...]:
        """A comma-separated list of just `count` words, or empty when not set."""
        words = self.words(name)
        if len(words) not in (0, count):
            self._problems.append(f"{name} must have {count} words with commas between, not {len(words)}")
        return words

    def log_level(self) -> str:
        """`C8S_LOG_LEVEL`, which every service has."""
        return self.choice("C8S_LOG_LEVEL", LOG_LEVELS, "info")


def _is_plain_http_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port_is_good and is_plain
