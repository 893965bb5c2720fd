"""What can go wrong with a repository, and how git's own words are translated into it.

The text of an error is shown to people: it says what to do and never holds a secret (`explain_failure`
is given the secrets to take out).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MESSAGE_LIMIT = 400
"""Characters of git's own words that an error may carry."""


class GitError(Exception):
    """A repository can't be used as asked.

    GitError
    ├── BadUrl                  the address breaks the rules for clone URLs
    ├── BadRef                  a commit, branch, tag or path that git could not have
    ├── CommitNotFound          the repository has no such commit, branch or tag
    ├── FileMissing             the commit has no such file
    ├── FileTooLarge            the file or what the server sends is over the limit
    ├── DiskFull                no room where the repository is written
    ├── BadCredentials          the Secret can't be used: it lacks a key or holds a broken value
    ├── LfsMissing              git-lfs is asked for and not installed
    ├── RepositoryBroken        the server sends objects that git refuses to store
    ├── RepositoryDenied        the server does not know the repository or refuses the credentials
    └── RepositoryUnreachable   no answer, a broken connection, a 5xx: try again later
    """

    @property
    def reason(self) -> str:
        """The CamelCase word for status fields and termination messages."""
        return type(self).__name__


class BadUrl(GitError): ...


class BadRef(GitError): ...


class CommitNotFound(GitError): ...


class FileMissing(GitError): ...


class FileTooLarge(GitError): ...


class DiskFull(GitError): ...


class BadCredentials(GitError): ...


class LfsMissing(GitError): ...


class RepositoryBroken(GitError): ...


class RepositoryDenied(GitError): ...


class RepositoryUnreachable(GitError): ...


_REDIRECTED = re.compile(r"returned error: 30\d|unable to update url base from redirection")
_COMMIT_MISSING = re.compile(
    r"couldn't find remote ref|not our ref|unadvertised object|no such remote ref|bad object|unknown revision"
    r"|Needed a single revision|is ambiguous|not a commit"
)
_HOST_KEY = re.compile(
    r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known"
)
_UNASKED = re.compile(r"could not read (Username|Password)|terminal prompts disabled")
_DENIED = re.compile(
    r"Authentication failed|returned error: 40[13]|Permission denied|correct access rights|access denied",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"returned error: 404|repository '?.*'? not found|does not appear to be a git repository"
)
_PROTOCOL = re.compile(r"transport '.*' not allowed")
_TOO_LARGE = re.compile(r"File too large|SIGXFSZ|died of signal 25")
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_BROKEN = re.compile(r"fsck error|invalid index-pack output|remote did not send all necessary objects")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


def explain_failure(stderr: str, url: str, *, authenticated: bool, secrets: Sequence[str] = ()) -> GitError:
    """The error for a git command that failed with `stderr` (English, as `LC_ALL=C` makes it) on `url`."""
    said = quote_git(stderr, secrets)
    if _TOO_LARGE.search(stderr):
        return FileTooLarge(
            f"{url} sends more than one commit may take; does the server allow partial clones?"
        )
    if _DISK_FULL.search(stderr):
        return DiskFull(f"no room for {url}; give the step more resources.storage")
    if _BROKEN.search(stderr):
        return RepositoryBroken(f"{url} holds something that git refuses as broken or dangerous: {said}")
    if _PROTOCOL.search(stderr):
        return BadUrl(f"{url} leads to a protocol other than https and ssh")
    if _REDIRECTED.search(stderr):
        return BadUrl(f"{url} answers with a redirect; name the final address (often with .git at the end)")
    if _COMMIT_MISSING.search(stderr):
        return CommitNotFound(f"{url} has no such commit, branch or tag: {said}")
    if _HOST_KEY.search(stderr):
        return RepositoryDenied(f"the host key of {url} is not the one in known_hosts of the Secret")
    if _UNASKED.search(stderr):
        return RepositoryDenied(f"{url} {_explain_denial(authenticated)}")
    if _DENIED.search(stderr) or _NOT_FOUND.search(stderr):
        return RepositoryDenied(f"{url} {_explain_denial(authenticated)}: {said}")
    return RepositoryUnreachable(f"{url} can't be read now: {said}")


def _explain_denial(authenticated: bool) -> str:
    if authenticated:
        return "does not exist or refuses the credentials (check authSecretRef's Secret and its rights)"
    return (
        "does not exist or needs credentials (authSecretRef, a Secret labelled c8s.dev/git-credentials=true)"
    )


def quote_git(stderr: str, secrets: Sequence[str] = ()) -> str:
    """Git's own `fatal:` and `error:` words on one line, bounded, without control characters and `secrets`.

    What the server says (`remote:` lines) is left out: it is a stranger's text and may repeat what it
    was sent.
    """
    for secret in secrets:
        stderr = stderr.replace(secret, "***")
    lines = [_CONTROL.sub(" ", line).strip() for line in stderr.splitlines()]
    own = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))]
    text = "; ".join(own) or "git failed without a word"
    return text if len(text) <= MESSAGE_LIMIT else text[:MESSAGE_LIMIT] + "…"
