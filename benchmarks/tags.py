"""Measure the effect of merging and linking tags on a built warehouse, and its accuracy on labelled pairs.

Run: .venv/bin/python benchmarks/tags.py WAREHOUSE [GOLD.csv]
WAREHOUSE is target/kindred_build.duckdb, because raw tags are not published. GOLD.csv holds pairs labelled by a person,
with the columns tag_a, vocab_a, tag_b, vocab_b, same and why. A vocabulary is C, I or A (course, interest, assessment);
same is yes (one subject), related or no.
"""

import csv
from pathlib import Path

import click
import duckdb

VOCABULARIES = {"C": "course", "I": "interest", "A": "assessment"}

COUNTS = """
    select
        (select count(*) from tag_map),
        (select count(distinct canonical_tag) from tag_map),
        (select count(*) from tags where total_spellings > 1),
        (select count(*) // 2 from tag_links)
"""

# Tags that users were assessed in, follow, or viewed courses of: as delivered, and as subjects.
USER_TAGS = """
    create temporary view assessed as
    select scores.user_handle, scores.assessment_tag as raw_tag, tag_map.canonical_tag
    from staging.stg_user_assessment_scores as scores
    inner join tag_map on scores.assessment_tag = tag_map.raw_tag and tag_map.vocabulary = 'assessment';

    create temporary view followed as
    select distinct interests.user_handle, interests.interest_tag as raw_tag, tag_map.canonical_tag
    from staging.stg_user_interests as interests
    inner join tag_map on interests.interest_tag = tag_map.raw_tag and tag_map.vocabulary = 'interest';

    create temporary view viewed as
    select distinct user_courses.user_handle, tags.course_tag as raw_tag, tag_map.canonical_tag
    from user_courses
    inner join staging.stg_course_tags as tags using (course_id)
    inner join tag_map on tags.course_tag = tag_map.raw_tag and tag_map.vocabulary = 'course';

    create temporary view same_or_related as
    select tag, other_tag from tag_links
    union
    select canonical_tag as tag, canonical_tag as other_tag from tag_map;
"""


def main(warehouse: Path, gold: Path | None) -> None:
    with duckdb.connect(warehouse, read_only=True) as connection:
        spellings, subjects, groups, links = connection.execute(COUNTS).fetchone()
        click.echo(f"{spellings:,} tags are {subjects:,} subjects; {groups:,} of them have several spellings.")
        click.echo(f"{links:,} pairs of subjects are linked.\n")
        connection.execute(USER_TAGS)
        click.echo(f"{'Assessment rows whose tag matches':<42}{'exact':>8}{'merged':>8}{'linked':>8}")
        for title, source, of_the_same_user in (
            ("some user's interest", "followed", False),
            ("an interest of the same user", "followed", True),
            ("a course that the same user viewed", "viewed", True),
        ):
            shares = connection.execute(matches(source, of_the_same_user)).fetchone()
            click.echo(f"{title:<42}" + "".join(f"{share:>8.1%}" for share in shares))
        if gold:
            report_gold(connection, gold)


def matches(source: str, of_the_same_user: bool) -> str:
    """Return a query for the shares of assessment rows that match a tag by spelling, by subject and by link."""
    user = "source.user_handle = assessed.user_handle and" if of_the_same_user else ""
    return f"""
        select
            avg(cast(exists(
                select 1 from {source} as source where {user} source.raw_tag = assessed.raw_tag
            ) as integer)),
            avg(cast(exists(
                select 1 from {source} as source where {user} source.canonical_tag = assessed.canonical_tag
            ) as integer)),
            avg(cast(exists(
                select 1 from {source} as source
                inner join same_or_related on source.canonical_tag = same_or_related.other_tag
                where {user} same_or_related.tag = assessed.canonical_tag
            ) as integer))
        from assessed
    """


def report_gold(connection: duckdb.DuckDBPyConnection, gold: Path) -> None:
    rows = connection.execute("select vocabulary, raw_tag, canonical_tag from tag_map").fetchall()
    canonical = {(vocabulary, raw_tag): canonical_tag for vocabulary, raw_tag, canonical_tag in rows}
    links = set(connection.execute("select tag, other_tag from tag_links").fetchall())
    with open(gold, encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    merged, linked = [], []
    for pair in pairs:
        one, other = (canonical[VOCABULARIES[pair[f"vocab_{side}"]], pair[f"tag_{side}"]] for side in "ab")
        merged.append(one == other)
        linked.append(one == other or (one, other) in links)
    click.echo(f"\n{len(pairs):,} labelled pairs")
    report("merged", pairs, merged, {"yes"})
    report("linked", pairs, linked, {"yes", "related"})


def report(what: str, pairs: list[dict], found: list[bool], right: set[str]) -> None:
    """Print precision and recall of the found pairs, and every wrong or missing pair."""
    hits = sum(is_found and pair["same"] in right for pair, is_found in zip(pairs, found, strict=True))
    positives = sum(pair["same"] in right for pair in pairs)
    click.echo(f"{what}: precision {hits / max(sum(found), 1):.3f}, recall {hits / max(positives, 1):.3f}")
    for pair, is_found in zip(pairs, found, strict=True):
        if is_found != (pair["same"] in right):
            click.echo(
                f"  {'wrong' if is_found else 'missing'}: {pair['tag_a']} ({pair['vocab_a']}), "
                f"{pair['tag_b']} ({pair['vocab_b']}), labelled {pair['same']}: {pair['why']}"
            )


@click.command(help=__doc__)
@click.argument("warehouse", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("gold", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def command(warehouse: Path, gold: Path | None) -> None:
    main(warehouse, gold)


if __name__ == "__main__":
    command()
