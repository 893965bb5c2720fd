"""Where things lie in a step's pod (docs/reference/data.md)."""

from __future__ import annotations

WORKSPACE = "/c8s/workspace"
HOME = "/c8s/home"
SECRETS = "/c8s/secrets"
CREDENTIALS = "/c8s/credentials"
OUTPUT = f"{HOME}/.c8s-output"
OUTPUTS = "/c8s/outputs"
EXCHANGE = "/c8s/exchange"
API_TOKEN = "/c8s/api-token"  # noqa: S105 - a folder
TEMPORARY = "/tmp"  # noqa: S108 - a volume of the pod
