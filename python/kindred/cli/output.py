"""What the commands print: rows in three formats, and progress."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from tabulate import tabulate

RIGHT_ALIGNED = {"rank", "user", "similarity", "adds"}

format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="A table to read, or JSON or CSV for other programs.",
)


def failed(sentence: str) -> click.ClickException:
    """Return the error that ends a command with a sentence and exit status 2."""
    failure = click.ClickException(sentence)
    failure.exit_code = 2
    return failure


def print_json(content: object) -> None:
    """Print JSON to read or to hand on."""
    click.echo(json.dumps(content, indent=2))


def print_rows(rows: list[dict], output_format: str, right_aligned: set[str] = RIGHT_ALIGNED) -> None:
    """Print rows of the same names as a table, JSON or CSV."""
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
    """Show progress on the error stream where that is a terminal; call what it gives with the steps done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr, show_pos=True) as bar:
        yield bar.update


class StepBar:
    """Progress of work that says itself what it does and how much of it there is; drawn on a terminal only."""

    def __init__(self):
        self._label = None
        self._bar = None

    def __enter__(self) -> StepBar:
        return self

    def __exit__(self, *exception: object) -> None:
        self._finish()

    def update(self, label: str, done: int, steps: int) -> None:
        """Show that so many of so many steps of what the label names are done."""
        if not sys.stderr.isatty():
            return
        if label != self._label:
            self._finish()
            self._label = label
            self._bar = click.progressbar(length=steps, label=label.capitalize(), file=sys.stderr, show_pos=True)
            self._bar.__enter__()
        self._bar.length = steps
        self._bar.update(done - self._bar.pos)

    def _finish(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = self._label = None
