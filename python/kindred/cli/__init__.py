"""The `kindred` command: one file for each of its commands."""

from __future__ import annotations

import click

from kindred import __version__
from kindred.cli.dashboard import show_dashboard
from kindred.cli.evaluate import evaluate_weights
from kindred.cli.lookup import show_reasons, show_similar
from kindred.cli.output import CommandError
from kindred.cli.publish import publish_warehouse
from kindred.cli.sample import write_sample
from kindred.cli.serve import serve
from kindred.errors import KindredError

__all__ = ["main"]


class _Group(click.Group):
    """A group whose commands end with one sentence and exit status 2 if they raise a KindredError."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except KindredError as error:
            raise CommandError(str(error)) from error


@click.group(cls=_Group)
@click.version_option(__version__)
def main() -> None:
    """Tell, for every user of a learning platform, who is most like them and why."""


for command in (write_sample, show_similar, show_reasons, publish_warehouse, serve, show_dashboard, evaluate_weights):
    main.add_command(command)
