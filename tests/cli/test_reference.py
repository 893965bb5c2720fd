from c8s.cli.main import VERBS
from c8s.cli.reference import PAGE, render_page


def test_page_is_what_the_parsers_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page()


def test_page_has_every_verb() -> None:
    headings = {line for line in render_page().splitlines() if line.startswith("## ")}
    assert {f"## c8s {verb}" for verb in VERBS} <= headings
