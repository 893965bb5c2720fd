"""Writes `docs/reference/cli.md` from the verbs' own parsers: `python -m c8s.cli.reference [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from c8s.cli.main import DESCRIPTION, EPILOG, build_parser

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
HEAD = f"""# The command line

{DESCRIPTION}
Made by `python -m c8s.cli.reference` from what `c8s VERB --help` says. {EPILOG[0].upper()}{EPILOG[1:]}.
"""


def render_page() -> str:
    """The whole page."""
    sections = [_render_verb(name, summary, parser) for name, summary, parser in _find_verbs(build_parser())]
    return "\n".join([HEAD, *sections])


def main() -> int:
    page = render_page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        print("docs/reference/cli.md is old: run python -m c8s.cli.reference", file=sys.stderr)
        return 1
    return 0


def _find_verbs(
    parser: argparse.ArgumentParser, prefix: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Every verb, and the verbs below it, in the order of the help."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        summaries = {choice.dest: choice.help or "" for choice in action._get_subactions()}
        for name, verb in action.choices.items():
            full_name = f"{prefix}{name}"
            yield full_name, summaries.get(name, ""), verb
            yield from _find_verbs(verb, f"{full_name} ")


def _render_verb(name: str, summary: str, parser: argparse.ArgumentParser) -> str:
    lines = [f"## c8s {name}", "", _sentence(summary)]
    options = [action for action in parser._actions if _is_shown(action)]
    if options:
        lines += ["", "| option | what |", "|---|---|"]
        lines += [f"| `{_spell(action)}` | {_describe(action)} |" for action in options]
    return "\n".join(lines) + "\n"


def _is_shown(action: argparse.Action) -> bool:
    hidden = (argparse._HelpAction, argparse._SubParsersAction)
    return not isinstance(action, hidden) and action.help is not argparse.SUPPRESS


def _spell(action: argparse.Action) -> str:
    value = action.metavar or "|".join(map(str, action.choices or ())) or action.dest.upper()
    value = str(value).replace("|", "\\|")
    if not action.option_strings:
        return value
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def _describe(action: argparse.Action) -> str:
    text = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    return text.replace("|", "\\|")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


if __name__ == "__main__":
    sys.exit(main())
