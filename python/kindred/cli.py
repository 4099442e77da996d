"""The `kindred` command."""

import sys
from contextlib import nullcontext
from pathlib import Path

import click

from kindred import __version__, sample


@click.group()
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
    type=click.Choice(sample.FILE_FORMATS),
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
    at_terminal = sys.stderr.isatty()
    bar = click.progressbar(length=users, label="Users", file=sys.stderr) if at_terminal else nullcontext()
    try:
        with bar:
            progress = bar.update if at_terminal else lambda users: None
            rows = sample.write(users, seed, directory, file_format, truth_path, progress)
    except sample.SampleError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"Cannot write the sample: {error}.") from error
    counts = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    click.echo(f"Wrote {users:,} users to {directory}: {counts}.", err=True)
