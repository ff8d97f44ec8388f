"""Standard output for tables of data: what a row says is what a reader sees.

Under every command that prints a table. Promises that no cell, header or line is read as rich
markup, as an emoji code or as a number to colour, and that a pipe or file loses nothing to a
width it does not have. On a terminal a cell that is too wide is folded or cut by rich.
"""

from typing import Final

from rich.console import Console, RenderableType

PIPE_WIDTH: Final = 160
"""Columns of a pipe or file; a table that needs more gets more."""


def report_console(stderr: bool = False) -> Console:
    """A console that prints data verbatim."""
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def show_table(table: RenderableType) -> None:
    """Print a table on standard output, as wide as its longest row where nobody folds lines."""
    console = report_console()
    if not console.is_terminal:
        wide = console.options.update(max_width=1_000_000)
        console.width = max(PIPE_WIDTH, console.measure(table, options=wide).maximum)
    console.print(table)


def verbatim(text: str) -> str:
    r"""The text with control characters spelt out, so that none reaches the terminal.

    >>> verbatim("a\x1b[31m\rb\nc")
    'a\\x1b[31m\\rb\nc'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
