import pytest

from c8s.cli.terminal_text import terminal_safe


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("plain text\twith a tab", "plain text\twith a tab"),
        ("\x1b]0;owned\x07title", "title"),
        ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]52;c;ZXZpbA==\x07clipboard", "clipboard"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("progress 10%\rprogress 99%", "progress 10%progress 99%"),
        ("\x1bPdevice control\x1b\\after", "after"),
        ("\x9b2Jone-byte control", "2Jone-byte control"),
        ("\u202egnp.exe", "gnp.exe"),
        ("ends in escape\x1b", "ends in escape"),
    ],
)
def test_drops_what_steers_the_terminal(hostile: str, shown: str) -> None:
    assert terminal_safe(hostile) == shown


def test_keeps_colours_and_resets_them() -> None:
    assert terminal_safe("\x1b[31mred") == "\x1b[31mred\x1b[0m"


def test_drops_colours_where_none_are_wanted() -> None:
    assert terminal_safe("\x1b[31mred\x1b[0m", colours=False) == "red"
