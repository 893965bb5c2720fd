"""The small languages in a pod: references, quantities, requests, paths, log lines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from c8s.local.node.cri_log import LineJoiner, LineSplitter
from c8s.local.node.expansion import expand
from c8s.local.node.references import ConfigError, ImageUnavailable
from c8s.local.node.root_layout import Step, plan_root
from c8s.local.node.runners.process import replace_paths
from c8s.local.node.runners.runner import refuse_impossible_image
from c8s.local.node.scheduling import Capacity, explain_unschedulable, pod_requests
from c8s.local.node.shim_request import Mount
from c8s.local.node.volumes import Volumes
from c8s.local.quantities import parse_quantity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("echo $$ $A", "echo $ $A"),
        ("$(A", "$(A"),
    ],
)
def test_references_expand_as_in_kubernetes(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        ("1Gi", "1073741824"),
        ("1k", "1000"),
        ("1e3", "1000"),
        ("1.5Mi", "1572864"),
    ],
)
def test_quantities_are_read(text: str, expected: str) -> None:
    assert parse_quantity(text) == Decimal(expected)


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1GiB", "-", "."])
def test_other_texts_are_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


def container(cpu: str, **fields: str) -> dict[str, object]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **fields}


def test_requests_count_the_greatest_moment() -> None:
    spec = {
        "initContainers": [container("3"), container("500m", restartPolicy="Always"), container("1")],
        "containers": [container("1"), container("1")],
    }
    assert pod_requests(spec) == Capacity(Decimal(3), Decimal(0), 1)


def test_full_node_says_what_is_missing() -> None:
    pod = {"spec": {"containers": [container("2")]}}
    small = Capacity(Decimal(1), Decimal(10), 0)
    expected = "0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods."
    assert explain_unschedulable(pod, {}, small, Capacity()) == expected
    assert explain_unschedulable(pod, {}, Capacity(Decimal(2), Decimal(0), 1), Capacity()) == ""


def test_paths_are_replaced_at_their_beginning() -> None:
    mounts = (Mount("/pods/1/w", "/c8s/workspace"), Mount("/pods/1/h", "/c8s/home"))
    text = "cd /c8s/workspace && X=/c8s/home/.x ls /c8s/workspaces /a/c8s/workspace '/c8s/workspace'"
    expected = "cd /pods/1/w && X=/pods/1/h/.x ls /c8s/workspaces /a/c8s/workspace '/pods/1/w'"
    assert replace_paths(text, mounts) == expected


def test_root_shows_the_host_and_the_mounts() -> None:
    steps = plan_root([Mount("/pods/1/w", "/c8s/workspace", read_only=True)])
    assert steps[0] == Step("directory", "/")
    assert Step("bind", "/etc", "/etc") in steps
    assert steps[-1] == Step("bind-read-only", "/c8s/workspace", "/pods/1/w")


def test_directory_without_mount_point_is_replaced() -> None:
    steps = plan_root([Mount("/pods/1/w", "/etc/c8s-not-there/x")])
    assert Step("directory", "/etc") in steps
    assert Step("bind", "/etc/passwd", "/etc/passwd") in steps
    assert Step("bind", "/etc", "/etc") not in steps


@pytest.mark.parametrize("image", ["registry.invalid/x", "a.INVALID:5000/x:1"])
def test_impossible_registries_are_refused(image: str) -> None:
    with pytest.raises(ImageUnavailable, match="no such host"):
        refuse_impossible_image(image)


def test_links_lead_no_subpath_out(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "link").symlink_to("/etc")
    for sub_path in ("link", "../other", "/etc"):
        mount = {"name": "v", "mountPath": "/x", "subPath": sub_path}
        with pytest.raises(ConfigError, match="leads outside"):
            Volumes(tmp_path, tmp_path).mounts({"volumeMounts": [mount]})


def test_lines_are_stamped_when_they_end() -> None:
    splitter = LineSplitter("stdout")
    assert splitter.feed(b"one\ntw", 1_000_000_001) == b"1970-01-01T00:00:01.000000001Z stdout F one\n"
    assert splitter.feed(b"o\n", 2_000_000_000) == b"1970-01-01T00:00:02.000000000Z stdout F two\n"
    assert splitter.finish(3_000_000_000) == b""


def test_fragments_are_joined_under_one_time() -> None:
    log = b"t1 stdout P aa\nt2 stdout F bb\nt3 stderr F c\ntorn"
    assert LineJoiner(timestamps=True).feed(log) == b"t1 aabb\nt3 c\n"
    assert LineJoiner().feed(log) == b"aabb\nc\n"
