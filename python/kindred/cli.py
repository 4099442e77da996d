"""The `kindred` command."""

from pathlib import Path

import click

from kindred import __version__
from kindred.dashboard_command import show_dashboard
from kindred.evaluate_command import evaluate_weights
from kindred.look_up_commands import show_reasons, show_similar
from kindred.look_ups import UnknownUserError
from kindred.publish_command import publish_warehouse
from kindred.serve_command import serve
from kindred.stores.base import StoreError
from kindred.terminal import progress_bar
from kindred.warehouse import WarehouseError

SAMPLE_FORMATS = ("csv", "parquet")


class _Group(click.Group):
    """A group whose commands end with one sentence and exit status 2 where a warehouse or store cannot serve them."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (WarehouseError, StoreError, UnknownUserError) as error:
            failure = click.ClickException(str(error))
            failure.exit_code = 2
            raise failure from error


@click.group(cls=_Group)
@click.version_option(__version__)
def main() -> None:
    """Tell, for every user of a learning platform, who is most like them and why."""


@main.command(
    "sample",
    epilog="Example: kindred sample --users 100000 --format parquet --out /tmp/platform",
)
@click.option("--users", type=click.IntRange(min=1), default=2000, show_default=True, help="How many users.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="The same users and seed give the same files.",
)
@click.option(
    "--out",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder for the four files; created if missing.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(SAMPLE_FORMATS),
    default="csv",
    show_default=True,
    help="Format of the four files.",
)
@click.option(
    "--truth",
    "truth_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write each user's latent topics to FILE, as CSV: user_handle, topic, share.",
)
def write_sample(users: int, seed: int, directory: Path, file_format: str, truth_path: Path | None) -> None:
    """Write a synthetic platform: the four files that Kindred reads.

    DIR gets course_tags, user_assessment_scores, user_course_views and user_interests. Files of these names
    are replaced once all four are complete; a run that is interrupted leaves the old ones as they were. It is
    an error if DIR holds one of them in the other format.
    """
    from kindred import sample  # it imports pyarrow, which the look-ups below do without

    try:
        with progress_bar(users, "Users") as progress:
            rows = sample.write(users, seed, directory, file_format, truth_path, progress)
    except sample.SampleError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"Cannot write the sample: {error}.") from error
    counts = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    click.echo(f"Wrote {users:,} users to {directory}: {counts}.", err=True)


for command in (show_similar, show_reasons, publish_warehouse, serve, show_dashboard, evaluate_weights):
    main.add_command(command)
