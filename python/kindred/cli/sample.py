"""The command `kindred sample`."""

from __future__ import annotations

from pathlib import Path

import click

from kindred.cli.output import progress_bar
from kindred.sample.formats import FILE_FORMATS


@click.command("sample", epilog="Example: kindred sample --users 100000 --format parquet --out /tmp/platform")
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
    type=click.Choice(FILE_FORMATS),
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
    from kindred.sample import files  # it imports pyarrow, which the look-ups below do without

    try:
        with progress_bar(users, "Users") as progress:
            rows = files.write(users, seed, directory, file_format, truth_path, progress)
    except OSError as error:
        raise click.ClickException(f"Cannot write the sample: {error}.") from error
    counts = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    click.echo(f"Wrote {users:,} users to {directory}: {counts}.", err=True)
