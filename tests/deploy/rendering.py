"""The manifests as the tests see them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
SERVICES = ("api", "hooks", "logbuffer", "webhook")

Manifest = dict[str, Any]


def run_kustomize(folder: Path) -> list[Manifest]:
    """What `kubectl kustomize` makes of the folder."""
    rendered = subprocess.run(["kubectl", "kustomize", str(folder)], check=True, capture_output=True).stdout
    return [document for document in yaml.safe_load_all(rendered) if document]


def copy_deploy(target: Path) -> Path:
    """A copy of `deploy/` and what it refers to, with the example's key files filled in."""
    for name in ("deploy", "compositecontrollers", "schemas"):
        shutil.copytree(REPOSITORY / name, target / name)
    example = target / "deploy" / "overlays" / "example"
    for template in example.glob("*.env.example"):
        template.with_suffix("").write_text(
            template.read_text().replace("=\n", f"={'0123456789abcdef' * 2}\n")
        )
    return example


def identify(manifest: Manifest) -> tuple[str, str, str]:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def find(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    return next(one for one in manifests if one["kind"] == kind and one["metadata"]["name"] == name)


def pod_template(manifests: list[Manifest], service: str) -> Manifest:
    template: Manifest = find(manifests, "Deployment", service)["spec"]["template"]
    return template


def container_of(manifests: list[Manifest], service: str) -> Manifest:
    container: Manifest = pod_template(manifests, service)["spec"]["containers"][0]
    return container
