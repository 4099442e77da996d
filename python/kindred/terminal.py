"""What the commands print: rows in three formats, and progress."""

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


def print_rows(rows: list[dict], output_format: str, right_aligned: set[str] = RIGHT_ALIGNED) -> None:
    """Print rows of the same names as a table, JSON or CSV."""
    if output_format == "json":
        click.echo(json.dumps(rows, indent=2))
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
