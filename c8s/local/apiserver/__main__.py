"""`python -m c8s.local.apiserver --state-dir DIR [--port N]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from c8s.local.apiserver.server import serve


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m c8s.local.apiserver", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True, help="where the cluster's state lies")
    parser.add_argument(
        "--port", type=int, default=0, help="0 (default): the port of the last time, or a free one"
    )
    arguments = parser.parse_args()
    serve(arguments.state_dir.absolute(), arguments.port)


if __name__ == "__main__":
    main()
