import io

from rich.console import Console

from c8s.cli.log_printer import LogPrinter

TIME = "2026-01-02T03:00:01Z"


def print_lines(*lines: tuple[str, str], colours: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=120, color_system="standard" if colours else None, force_terminal=colours
    )
    printer = LogPrinter(console, prefix=True)
    for container, text in lines:
        printer.print_line("unit", TIME, container, text)
    return console.file.getvalue()


def test_log_lines_carry_the_steps_name() -> None:
    shown = print_lines(("step", "[bold]3 passed[/bold]\x1b]0;t\x07"), ("c8s", "ended with exit code 0"))
    assert shown == "unit │ [bold]3 passed[/bold]\nunit │ c8s: ended with exit code 0\n"


def test_group_becomes_a_heading() -> None:
    shown = print_lines(
        ("step", "\x1b[1m::group::Install  "),
        ("step", "a"),
        ("step", "::endgroup::"),
        ("step", " ::group::no group"),
        ("checkout", "::endgroup::"),
    )
    assert shown.splitlines() == [
        "unit │ ▸ Install",
        "unit │ a",
        "unit │  ::group::no group",
        "unit │ checkout: ::endgroup::",
    ]


def test_colours_of_the_step_stay() -> None:
    assert "\x1b[31mfailed\x1b[0m" in print_lines(("step", "\x1b[31mfailed\x1b[0m"), colours=True)


def test_what_was_found_is_marked() -> None:
    console = Console(file=io.StringIO(), width=120, color_system="standard", force_terminal=True)
    LogPrinter(console, prefix=False, timestamps=True).print_found("unit", TIME, "step", "1 failed", [(2, 8)])
    assert console.file.getvalue() == f"\x1b[2m{TIME} \x1b[0m1 \x1b[1;31mfailed\x1b[0m\n"
