"""The commands `kindred similar` and `kindred explain`: lookups in any store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, get_args

import click

from kindred import lookups
from kindred.cli.options import store_option
from kindred.cli.output import format_option, print_json, print_rows
from kindred.stores import open_store
from kindred.stores.base import Handle, Reader

Answer = TypeVar("Answer")


@click.command("similar", epilog="Example: kindred similar 42 --limit 5")
@click.argument("user_handle", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="The largest number of users.")
@click.option("--min-similarity", type=click.FloatRange(0, 1), default=0.0, help="Leave out less similar users.")
@click.option(
    "--cluster",
    type=click.Choice(get_args(lookups.ClusterFilter)),
    default="any",
    show_default=True,
    help="Only users of the same cluster, or only users outside it.",
)
@click.option("--exclude-same-profile", is_flag=True, help="Leave out users who did exactly the same.")
@format_option
@store_option
def show_similar(
    user_handle: str | None,
    limit: int,
    min_similarity: float,
    cluster: lookups.ClusterFilter,
    exclude_same_profile: bool,
    output_format: str,
    store_url: str | None,
) -> None:
    """Show the users most similar to USER_HANDLE, and why.

    Each line has the similarity and its main reason. The similarity is the sum of all reasons. Users who are similar to
    many others rank lower than their similarity says (hub_correction). Two facets compare courses with predictions:
    in next_courses the other user viewed a course that is predicted next for USER_HANDLE; in taken_courses it is
    the other way round.

    Without USER_HANDLE, the command shows the first user who has similar users. After --, a handle may begin with a
    hyphen.
    """

    def lookup(reader: Reader) -> tuple[Handle | None, list[lookups.Row]]:
        handle: Handle | None = reader.first_user() if user_handle is None else user_handle
        if handle is None:
            return None, []
        return handle, lookups.similar_users(
            reader,
            handle,
            limit=limit,
            min_similarity=min_similarity,
            cluster=cluster,
            exclude_same_profile=exclude_same_profile,
        )

    handle, users = _read(store_url, lookup)
    if output_format == "json":
        print_json(users)
        return
    rows = [
        {
            "rank": user["rank"],
            "similar_user_handle": user["similar_user_handle"],
            "similarity": user["similarity"],
            "cluster": user["cluster"],
            **user["reasons"][0],
        }
        for user in users
    ]
    if output_format == "table":
        if not rows:
            click.echo(
                "No user has similar users: there are fewer than two, or none has anything in common with another."
                if user_handle is None
                else f"User {user_handle} has no similar users, or the options leave them all out."
            )
            return
        click.echo(f"The users most similar to user {handle}:")
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


@click.command("explain", epilog="Example: kindred explain 42 77")
@click.argument("user_handle")
@click.argument("other_handle")
@format_option
@store_option
def show_reasons(user_handle: str, other_handle: str, output_format: str, store_url: str | None) -> None:
    """Show what USER_HANDLE and OTHER_HANDLE have in common.

    Each line is a shared feature with what it adds to their similarity. After --, a handle may begin with a hyphen.
    """
    pair = _read(store_url, lambda reader: lookups.explain(reader, user_handle, other_handle))
    if output_format == "json":
        print_json(pair)
        return
    rows = pair["reasons"]
    if output_format == "table":
        click.echo(
            f"Users {user_handle} and {other_handle} have a similarity of {pair['similarity']:.3f}"
            + (":" if rows else ".")
        )
        rows = [
            {"facet": row["facet"], "feature": row["feature"], "adds": f"{row['contribution']:.4f}"} for row in rows
        ]
    print_rows(rows, output_format)


def _read(store_url: str | None, lookup: Callable[[Reader], Answer]) -> Answer:
    store = open_store(store_url)
    try:
        return lookups.at_one_version(store, lookup)
    finally:
        store.close()
