"""Kubernetes replaces `$(NAME)` in a container's command, arguments and environment, and `$$` becomes `$`.

So a branch called `$(DB_PASSWORD)` would become the password, and `echo $$(date)` would lose a dollar.
https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
"""

from __future__ import annotations

import re

_READ_BY_KUBERNETES = re.compile(r"\$(?=[$(])")


def escape_expansion(text: str) -> str:
    """Return what Kubernetes turns into `text`, to the letter."""
    return _READ_BY_KUBERNETES.sub("$$", text)
