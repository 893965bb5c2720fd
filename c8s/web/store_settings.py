"""The object store's settings, the same for every service that uses it."""

from __future__ import annotations

from c8s.adapters.object_store import S3Settings
from c8s.web.environment import Variables


def read_store_settings(variables: Variables) -> S3Settings:
    """`C8S_S3_…`; what is wrong is told by `variables.check()`."""
    return S3Settings(
        endpoint=variables.url("C8S_S3_ENDPOINT"),
        access_key=variables.text("C8S_S3_ACCESS_KEY"),
        secret_key=variables.secret("C8S_S3_SECRET_KEY", min_length=8),
        bucket=variables.text("C8S_S3_BUCKET", "c8s"),
        region=variables.text("C8S_S3_REGION", "us-east-1"),
    )
