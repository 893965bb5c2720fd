"""A pod's volumes as directories of this machine."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from c8s.adapters.cluster import Object
from c8s.local.node.environment import read_field, read_object
from c8s.local.node.references import ConfigError, References, VolumeError
from c8s.local.node.shim_request import Mount

EMPTY_DIR_MODE = 0o777
DEFAULT_FILE_MODE = 0o644
DEFAULT_TOKEN_SECONDS = 3600


class TokenSource(Protocol):
    def request_token(self, pod: Object, audience: str, expiration_seconds: int) -> str:
        """A ServiceAccount token bound to the pod. Raises ClusterError."""
        ...


@dataclass(frozen=True, slots=True)
class VolumeFile:
    path: str
    data: bytes
    mode: int


class Volumes:
    """The directories under `<pod>/volumes`, one per volume; that of a claim is a link into `claims`."""

    def __init__(self, directory: Path, claims: Path) -> None:
        self._directory = directory
        self._claims = claims

    def prepare(self, pod: Object, references: References, tokens: TokenSource) -> None:
        """Makes what is not there yet. Raises VolumeError as the kubelet words it."""
        for volume in pod["spec"].get("volumes") or []:
            target = self._directory / volume["name"]
            if "persistentVolumeClaim" in volume:
                self._link_claim(volume, target, references)
            elif not target.is_dir():
                self._make(volume, target, pod, references, tokens)

    def _link_claim(self, volume: Mapping[str, Any], target: Path, references: References) -> None:
        if target.is_symlink():
            return
        try:
            found = self._claims / references.claimed_volume(volume["persistentVolumeClaim"]["claimName"])
        except ConfigError as error:
            raise VolumeError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error
        if not found.is_dir():
            found.mkdir(parents=True)
            found.chmod(EMPTY_DIR_MODE)
        target.symlink_to(found)

    def _make(
        self,
        volume: Mapping[str, Any],
        target: Path,
        pod: Object,
        references: References,
        tokens: TokenSource,
    ) -> None:
        draft = target.with_name(f".{target.name}.draft")
        draft.mkdir(parents=True, exist_ok=True)
        if "emptyDir" in volume:
            draft.chmod(EMPTY_DIR_MODE)
        else:
            try:
                for file in _volume_files(volume, pod, references, tokens):
                    write_file(draft, file)
            except ConfigError as error:
                raise VolumeError(
                    f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
                ) from error
        draft.rename(target)

    def mounts(self, container: Mapping[str, Any]) -> tuple[Mount, ...]:
        """Where the container wants its volumes. Raises ConfigError for a subPath that leads outside."""
        return tuple(self._mount(mount) for mount in container.get("volumeMounts") or [])

    def _mount(self, mount: Mapping[str, Any]) -> Mount:
        source = (self._directory / mount["name"]).resolve()
        if sub_path := mount.get("subPath"):
            source = _resolve_inside(source, sub_path)
        path = posixpath.normpath(mount["mountPath"])
        return Mount(str(source), path, bool(mount.get("readOnly")))


def _resolve_inside(root: Path, sub_path: str) -> Path:
    """The real path of `sub_path`, made as a directory when missing; no link may lead out of the volume."""
    inside = Path(os.path.realpath(root / sub_path))
    if sub_path.startswith("/") or not inside.is_relative_to(os.path.realpath(root)):
        raise ConfigError(
            f'failed to prepare subPath for volumeMount "{root.name}": {sub_path!r} leads outside'
        )
    if not inside.exists():
        inside.mkdir(parents=True)
    return inside


def _volume_files(
    volume: Mapping[str, Any], pod: Object, references: References, tokens: TokenSource
) -> Iterator[VolumeFile]:
    for kind in ("secret", "configMap", "downwardAPI"):
        if kind in volume:
            mode = volume[kind].get("defaultMode", DEFAULT_FILE_MODE)
            yield from _source_files(kind, volume[kind], mode, pod, references, tokens)
            return
    if "projected" not in volume:
        kinds = ", ".join(sorted(set(volume) - {"name"}))
        raise ConfigError(f"volumes of this kind are not supported here: {kinds}")
    mode = volume["projected"].get("defaultMode", DEFAULT_FILE_MODE)
    for source in volume["projected"].get("sources") or []:
        for kind, detail in source.items():
            yield from _source_files(kind, detail, mode, pod, references, tokens)


def _source_files(
    kind: str, source: Mapping[str, Any], mode: int, pod: Object, references: References, tokens: TokenSource
) -> Iterator[VolumeFile]:
    if kind == "serviceAccountToken":
        seconds = source.get("expirationSeconds", DEFAULT_TOKEN_SECONDS)
        token = tokens.request_token(pod, source.get("audience") or "", seconds)
        yield VolumeFile(source["path"], token.encode(), mode)
    elif kind == "downwardAPI":
        for item in source.get("items") or []:
            text = read_field(pod, item["fieldRef"]["fieldPath"])
            yield VolumeFile(item["path"], text.encode(), item.get("mode", mode))
    elif kind in ("secret", "configMap"):
        data = read_object(kind.lower(), source, references) or {}
        yield from _select_items(kind, source, data, mode)
    else:
        raise ConfigError(f"projected source {kind} is not supported here")


def _select_items(
    kind: str, source: Mapping[str, Any], data: Mapping[str, bytes], mode: int
) -> Iterator[VolumeFile]:
    items = source.get("items")
    if items is None:
        yield from (VolumeFile(key, value, mode) for key, value in data.items())
        return
    for item in items:
        if item["key"] in data:
            yield VolumeFile(item["path"], data[item["key"]], item.get("mode", mode))
        elif not source.get("optional"):
            raise ConfigError(f"references non-existent {kind.lower()} key: {item['key']}")


def write_file(directory: Path, file: VolumeFile) -> None:
    """Raises ConfigError for a path that leads outside."""
    path = directory / file.path
    if ".." in Path(file.path).parts or not path.is_relative_to(directory):
        raise ConfigError(f"path {file.path!r} leads outside the volume")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, file.mode)
        stream.write(file.data)
