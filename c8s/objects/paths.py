"""Where things lie in a step's pod (docs/reference/data.md)."""

from __future__ import annotations

WORKSPACE = "/c8s/workspace"
HOME = "/c8s/home"
SECRETS = "/c8s/secrets"
CREDENTIALS = "/c8s/credentials"
OUTPUT = f"{HOME}/.c8s-output"
