"""Output as CI jobs print it: installs, builds, tests, hashes, colours, JSON. No secret is in it."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

PACKAGES = (
    "requests",
    "numpy",
    "left-pad",
    "@types/node",
    "org.slf4j:slf4j-api",
    "golang.org/x/net",
    "serde",
)
VERBS = ("Compiling", "Downloading", "Unpacking", "Linking", "Checking")
PATHS = (
    "src/main/java/com/example/App.java",
    "tests/unit/test_orders.py",
    "web/components/Cart.tsx",
    "lib/io.c",
)


def realistic_output(size_bytes: int, seed: int = 1) -> bytes:
    """At least so many bytes, whole lines."""
    source = random.Random(seed)
    lines = []
    size = 0
    while size < size_bytes:
        line = source.choices(LINES, WEIGHTS)[0](source).encode() + b"\n"
        lines.append(line)
        size += len(line)
    return b"".join(lines)


def random_values(count: int, seed: int = 2) -> list[bytes]:
    """Secrets as people have them: keys, tokens, passwords of words."""
    source = random.Random(seed)
    return [source.choice(VALUES)(source).encode() for _ in range(count)]


def version(source: random.Random) -> str:
    return f"{source.randint(0, 20)}.{source.randint(0, 99)}.{source.randint(0, 9)}"


def hex_digits(source: random.Random, count: int) -> str:
    return source.randbytes(count // 2).hex()


def integrity(source: random.Random) -> str:
    digest = base64.b64encode(source.randbytes(64)).decode()
    return f'      "integrity": "sha512-{digest}",'


def json_line(source: random.Random) -> str:
    number = source.randint(1, 10**9)
    path = f"/v1/orders/{number % 999}"
    return f'{{"level":"info","ts":1.7673e9,"msg":"request done","id":{number},"path":"{path}"}}'


LINES: tuple[Callable[[random.Random], str], ...] = (
    lambda source: f"{source.choice(VERBS)} {source.choice(PACKAGES)} v{version(source)}",
    lambda source: f"Collecting {source.choice(PACKAGES)}=={version(source)} ({source.randint(10, 9999)} kB)",
    lambda source: f"\x1b[32m✓\x1b[0m {source.choice(PATHS)} \x1b[2m({source.randint(1, 900)} ms)\x1b[0m",
    lambda source: f"{source.choice(PATHS)}:{source.randint(1, 900)}: warning: unused variable 'index'",
    lambda source: f"Digest: sha256:{hex_digits(source, 64)}",
    lambda source: f"HEAD is now at {hex_digits(source, 40)} Fix the order of the items",
    lambda source: f"{hex_digits(source, 12)}: Pull complete",
    lambda source: (
        f"[{source.randint(0, 99)}%] Building CXX object src/CMakeFiles/core.dir/{source.randint(0, 99)}.o"
    ),
    lambda source: f"test tests::orders::case_{source.randint(0, 999)} ... ok",
    lambda source: base64.b64encode(source.randbytes(57)).decode(),
    lambda source: "",
    lambda source: "-" * 80,
    integrity,
    json_line,
)

# Most lines are words; whole lines of base64 are rare.
WEIGHTS = (10, 8, 8, 8, 2, 2, 4, 8, 12, 1, 3, 2, 2, 4)

VALUES: tuple[Callable[[random.Random], str], ...] = (
    lambda source: (
        "ghp_" + base64.b64encode(source.randbytes(27)).decode().replace("+", "a").replace("/", "b")
    ),
    lambda source: base64.b64encode(source.randbytes(30)).decode(),
    lambda source: hex_digits(source, 40),
    lambda source: "-".join(source.choices(("correct", "horse", "battery", "staple", "Zürich", "42"), k=4)),
    lambda source: f"https://ann:{hex_digits(source, 16)}@registry.example.com/?a=b&c=d",
    lambda source: f"{source.randint(1000, 9999)}",
)
