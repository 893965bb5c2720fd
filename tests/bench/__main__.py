"""`make bench`: what c8s costs on this machine, as medians and ratios.

    python -m tests.bench [PART …]

A part is a module of this folder with `measure()`, which yields lines.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable, Sequence

from tests import bench
from tests.bench.machine import describe_machine

Measure = Callable[[], Iterable[str]]


def main(arguments: Sequence[str]) -> int:
    """Measures all parts, or those named."""
    parts = find_parts()
    if unknown := [name for name in arguments if name not in parts]:
        print(f"no part {unknown[0]}; there are: {', '.join(parts)}", file=sys.stderr)
        return 2
    print(describe_machine())
    for name in arguments or parts:
        print(f"\n{name}", flush=True)
        for line in parts[name]():
            print(f"  {line}", flush=True)
    return 0


def find_parts() -> dict[str, Measure]:
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name[0] != "_")
    modules = {name: importlib.import_module(f"{bench.__name__}.{name}") for name in names}
    return {name: module.measure for name, module in modules.items() if hasattr(module, "measure")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
