"""What the commands print: rows in three formats, progress, and errors."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from tabulate import tabulate

if TYPE_CHECKING:  # click names the type of its bars nowhere else
    from click._termui_impl import ProgressBar

RIGHT_ALIGNED = {"rank", "user", "similarity", "adds"}

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="A table to read, or JSON or CSV for other programs.",
)


class CommandError(click.ClickException):
    """Ends a command with one sentence and exit status 2."""

    exit_code = 2


def print_json(content: object) -> None:
    """Print content as indented JSON."""
    click.echo(json.dumps(content, indent=2))


def print_rows(rows: list[dict[str, Any]], output_format: str, right_aligned: set[str] = RIGHT_ALIGNED) -> None:
    """Print rows with the same names as a table, JSON or CSV."""
    if output_format == "json":
        print_json(rows)
    elif output_format == "csv" and rows:
        writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif rows:
        alignment = ["right" if name in right_aligned else "left" for name in rows[0]]
        click.echo(tabulate(rows, headers="keys", disable_numparse=True, colalign=alignment))


@contextmanager
def progress_bar(steps: int, label: str) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the steps just done; it draws a bar if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr, show_pos=True) as bar:
        yield bar.update


class StepBar:
    """Progress of work that reports its own steps; drawn on a terminal only."""

    def __init__(self) -> None:
        self._label: str | None = None
        self._bar: ProgressBar[int] | None = None

    def __enter__(self) -> StepBar:
        return self

    def __exit__(self, *exception: object) -> None:
        self._finish()

    def update(self, label: str, done: int, steps: int) -> None:
        """Show how many steps of the task that the label names are done."""
        if not sys.stderr.isatty():
            return
        bar = self._bar
        if bar is None or label != self._label:
            self._finish()
            bar = click.progressbar(length=steps, label=label.capitalize(), file=sys.stderr, show_pos=True)
            bar.__enter__()
            self._label, self._bar = label, bar
        bar.length = steps
        bar.update(done - bar.pos)

    def _finish(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar, self._label = None, None
