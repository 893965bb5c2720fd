"""Which repository addresses are allowed, and where they may lead."""

from __future__ import annotations

import socket

import pytest

from c8s.adapters.git_errors import BadUrl, RepositoryUnreachable
from c8s.adapters.git_urls import (
    RepositoryUrl,
    check_addresses,
    is_public,
    look_up,
    parse_repository_url,
)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://github.com/a/b.git", RepositoryUrl("https", "", "github.com", 443, "/a/b.git")),
        ("https://user@BitBucket.org/a/b", RepositoryUrl("https", "", "bitbucket.org", 443, "/a/b")),
        ("https://[2606:4700::1]:8443/b", RepositoryUrl("https", "", "2606:4700::1", 8443, "/b")),
        ("ssh://git@host.example:2222/b", RepositoryUrl("ssh", "git", "host.example", 2222, "/b")),
        ("git@github.com:a/b.git", RepositoryUrl("ssh", "git", "github.com", 22, "/a/b.git")),
        ("github.com:/srv/b.git", RepositoryUrl("ssh", "", "github.com", 22, "/srv/b.git")),
    ],
)
def test_https_and_ssh_are_read(text: str, url: RepositoryUrl) -> None:
    assert parse_repository_url(text) == url


def test_address_is_written_without_secret() -> None:
    assert str(parse_repository_url("https://user@[2606:4700::1]:8443/b")) == "https://[2606:4700::1]:8443/b"
    assert str(parse_repository_url("git@github.com:a/b")) == "ssh://git@github.com/a/b"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file:///etc",
        "/etc",
        "../x",
        "git://github.com/a/b",
        "http://github.com/a/b",
        "ftp://github.com/a/b",
        "ext::sh -c id",
        "ext::sh%20-c%20id",
        "fd::17",
        "https+ext://x/y",
        "--upload-pack=id",
        "-oProxyCommand=id:x",
        "ssh://-oProxyCommand=id/x",
        "ssh://git@-oProxyCommand=id/x",
        "ssh://-l@host/x",
        "git@-oProxyCommand=id:x",
        "git@host:-x",
        "host::x",
        "https://",
        "https:///x",
        "https://host",
        "https://host/",
        "https://host/x?y",
        "https://host/x#y",
        "https://host:99999/x",
        "https://host:x/x",
        "https://[::1/x",
        "https://[fe80::1%25eth0]/x",
        "https://ho st/x",
        "https://host/x\ny",
        "https://host/x\x00",
        "https://hóst/x",
        "https://host\\@evil/x",
        "https://host/" + "x" * 2048,
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(BadUrl):
        parse_repository_url(text)


def test_password_in_address_is_refused_unseen() -> None:
    with pytest.raises(BadUrl, match="put it in a Secret") as caught:
        parse_repository_url("https://user:canary@host.example/x")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("allowed", "is_allowed"),
    [
        (["forge.internal"], True),
        (["FORGE.internal:3000"], True),
        (["forge.internal:80"], False),
        (["internal"], False),
        (["forge.internal.evil.org"], False),
        (["", " "], False),
    ],
)
def test_http_needs_allowed_host(allowed: list[str], is_allowed: bool) -> None:
    if is_allowed:
        assert parse_repository_url("http://Forge.Internal:3000/x", allowed).host == "forge.internal"
    else:
        with pytest.raises(BadUrl, match="plain http"):
            parse_repository_url("http://forge.internal:3000/x", allowed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
    ],
)
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["140.82.121.4", "2606:4700::1111", "64:ff9b::8c52:7904"])
def test_outer_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]"])
def test_names_of_loopback_are_refused(host: str) -> None:
    with pytest.raises(BadUrl, match="C8S_ALLOWED_HOSTS"):
        check_addresses(parse_repository_url(f"https://{host}/x"))


def test_one_inner_address_is_enough_to_refuse() -> None:
    url = parse_repository_url("https://host.example/x")

    with pytest.raises(BadUrl):
        check_addresses(url, lookup=lambda host, port: ["140.82.121.4", "10.0.0.1"])


def test_public_addresses_are_to_be_pinned() -> None:
    url = parse_repository_url("https://host.example/x")

    assert check_addresses(url, lookup=lambda host, port: ["140.82.121.4"]) == ("140.82.121.4",)


def test_allowed_host_is_not_looked_up() -> None:
    url = parse_repository_url("https://localhost:8443/x")

    def refuse(host: str, port: int) -> list[str]:
        raise AssertionError("looked up")

    assert check_addresses(url, ["localhost:8443"], refuse) == ()


def test_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    with pytest.raises(RepositoryUnreachable, match=r"nowhere\.example can't be resolved"):
        look_up("nowhere.example", 443)
