"""The command `kindred sample`: write a synthetic platform."""

from __future__ import annotations

from pathlib import Path

import click

from kindred.cli.output import progress_bar
from kindred.sample.formats import FILE_FORMATS, HANDLE_FORMS


@click.command("sample", epilog="Example: kindred sample --users 100000 --format parquet --out /tmp/platform")
@click.option("--users", type=click.IntRange(min=1), default=2000, show_default=True, help="The number of users.")
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
    help="The folder for the four files; it is created if missing.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FILE_FORMATS),
    default="csv",
    show_default=True,
    help="The format of the four files.",
)
@click.option(
    "--handles",
    type=click.Choice(HANDLE_FORMS),
    default="number",
    show_default=True,
    help="What users are: whole numbers, or text with names as authors.",
)
@click.option(
    "--truth",
    "truth_path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write each user's latent topics to FILE, as CSV: user_handle, topic, share.",
)
def write_sample(
    users: int, seed: int, directory: Path, file_format: str, handles: str, truth_path: Path | None
) -> None:
    """Write a synthetic platform: the four files that Kindred reads.

    The files in DIR are course_tags, user_assessment_scores, user_course_views and user_interests. Existing files are
    replaced once all four new ones are complete; an interrupted run leaves the old files unchanged. It is an error if
    DIR has one of them in the other format.
    """
    from kindred.sample import files  # it imports pyarrow, which the other commands do not need

    try:
        with progress_bar(users, "Users") as progress:
            rows = files.write(users, seed, directory, file_format, truth_path, progress, handles)
    except OSError as error:
        raise click.ClickException(f"Cannot write the sample: {error}.") from error
    counts = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    click.echo(f"Wrote {users:,} users to {directory}: {counts}.", err=True)
