"""Writes what the schema is the source of: CustomResourceDefinitions and the reference of the pipeline file.

`python -m schemas.generate` writes; with `--check` it only compares, and exits with 1 where a file differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from schemas import CRD_NAMES, load_pipeline_schema
from schemas.reference import render_reference
from schemas.structural import fill_template

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare every generated file; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a file is not up to date"
    )
    options = parser.parse_args(arguments)
    return write_files(generate(), options.check)


def write_files(files: Mapping[Path, str], only_compare: bool) -> int:
    """Write the texts to their paths where they differ, or only tell where; return the exit code."""
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if not only_compare:
            path.write_text(files[path], "utf-8")
        print(f"{path}: {'is not up to date' if only_compare else 'written'}")
    return 1 if stale and only_compare else 0


def generate() -> dict[Path, str]:
    """Return the text of every generated file, by its path."""
    files = {FOLDER / "crds" / f"{name}.yaml": render_crd(name) for name in CRD_NAMES}
    cases, checks = ROOT / "tests" / "pipeline" / "cases" / "err", ROOT / "c8s" / "pipeline" / "checks"
    reference = ROOT / "docs" / "reference" / "pipeline.md"
    return files | {reference: render_reference(load_pipeline_schema(), cases, checks)}


def render_crd(name: str) -> str:
    """Return the YAML of the CustomResourceDefinition `name`."""
    template = yaml.safe_load((FOLDER / "templates" / f"{name}.yaml").read_text("utf-8"))
    document = fill_template(template, load_pipeline_schema())
    text: str = yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, width=110, allow_unicode=True)
    return f"# Written by `python -m schemas.generate` from templates/{name}.yaml; change it there.\n{text}"


class _PlainDumper(yaml.SafeDumper):
    """Writes equal parts out again instead of pointing to the first."""

    def ignore_aliases(self, _: object) -> bool:
        return True


if __name__ == "__main__":
    sys.exit(main())
