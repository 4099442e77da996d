"""The `kindred` command."""

from pathlib import Path

import click

from kindred import __version__
from kindred.evaluate_command import evaluate_weights
from kindred.terminal import format_option, print_rows, progress_bar
from kindred.warehouse import Warehouse, WarehouseError

SAMPLE_FORMATS = ("csv", "parquet")


class _Group(click.Group):
    """A group whose commands end with one sentence and exit status 2 where there is no warehouse to read."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except WarehouseError as error:
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


warehouse_option = click.option(
    "--warehouse",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The published warehouse; by default KINDRED_WAREHOUSE, or warehouse/kindred.duckdb.",
)


@main.command("similar", epilog="Example: kindred similar 42 --limit 5")
@click.argument("user_handle", type=click.IntRange(min=1), required=False)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="How many users at most.")
@format_option
@warehouse_option
def show_similar(user_handle: int | None, limit: int, output_format: str, warehouse: Path | None) -> None:
    """Show the closest users of USER_HANDLE, their similarity and the main reason for it.

    Users who are near to everybody stand lower than their similarity says (hub_correction); the similarity itself is
    the sum of the reasons. next_courses are what USER_HANDLE's own courses lead to and the other has taken;
    taken_courses the other way round.

    Without USER_HANDLE it takes the first user who has any.
    """
    with Warehouse(warehouse) as opened:
        if user_handle is None:
            user_handle = opened.first_user()
        rows = opened.similar(user_handle, limit)
    if output_format == "table":
        if not rows:
            click.echo(f"User {user_handle} has nothing in common with anybody.")
            return
        click.echo(f"The users closest to user {user_handle}:")
        rows = [
            {
                "rank": row["rank"],
                "user": row["similar_user_handle"],
                "similarity": f"{row['similarity']:.3f}",
                "main reason": f"{row['facet']}: {row['feature']}",
                "cluster": row["cluster"] or "-",
            }
            for row in rows
        ]
    print_rows(rows, output_format)


@main.command("explain", epilog="Example: kindred explain 42 77")
@click.argument("user_handle", type=click.IntRange(min=1))
@click.argument("other_handle", type=click.IntRange(min=1))
@format_option
@warehouse_option
def show_reasons(user_handle: int, other_handle: int, output_format: str, warehouse: Path | None) -> None:
    """Show all that USER_HANDLE and OTHER_HANDLE have in common and what each of it adds to their similarity."""
    with Warehouse(warehouse) as opened:
        rows = opened.explain(user_handle, other_handle)
    if output_format == "table":
        similarity = sum(row["contribution"] for row in rows)
        click.echo(
            f"Users {user_handle} and {other_handle} have a similarity of {similarity:.3f}" + (":" if rows else ".")
        )
        rows = [
            {"facet": row["facet"], "feature": row["feature"], "adds": f"{row['contribution']:.4f}"} for row in rows
        ]
    print_rows(rows, output_format)


main.add_command(evaluate_weights)
