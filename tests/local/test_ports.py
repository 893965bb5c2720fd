import socket

import pytest

from c8s.local.ports import PortTaken, choose_ports, is_free


@pytest.fixture
def taken() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_remembered_port_is_kept_while_free() -> None:
    first = choose_ports(["api", "s3"], {}, {})
    assert choose_ports(["api", "s3"], first, {}) == first


def test_remembered_port_in_use_is_replaced(taken: int) -> None:
    chosen = choose_ports(["api"], {"api": taken}, {})
    assert chosen["api"] != taken
    assert is_free(chosen["api"])


def test_wanted_port_in_use_is_refused(taken: int) -> None:
    with pytest.raises(PortTaken, match=f"port {taken} for api is in use"):
        choose_ports(["api"], {}, {"api": taken})


def test_every_name_gets_a_port_of_its_own() -> None:
    chosen = choose_ports([f"service-{number}" for number in range(20)], {}, {})
    assert len(set(chosen.values())) == 20
