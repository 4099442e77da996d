"""Which tags are one subject, which are related, and what an owner may change about it, in built warehouses.

All builds are in one copy, one after the other: a build that works, one with overrides, and builds that overrides stop.
"""

import csv
import math
from collections import defaultdict
from itertools import combinations

import pytest
from project import Project, rows_of, succeeded

from kindred.sample.vocabulary import PLANTED_VARIANTS, SUBJECTS, TRAPS

HEADER = "action,tag,vocabulary,other_tag,other_vocabulary,reason"
USERS = 1000
# Tests of what is not selected would look for tables that there are not.
SELECTED = ("build", "--indirect-selection", "cautious", "--select")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("tags"))
    project.write_sample(USERS)
    return project


@pytest.fixture(scope="module")
def built(project):
    succeeded(project.dbt("build"))
    with project.open_published() as connection:
        yield connection


@pytest.fixture(scope="module")
def canonical(built):
    """The canonical tag of every (raw_tag, vocabulary) that the sample of this size uses."""
    rows = rows_of(built, "select raw_tag, vocabulary, canonical_tag from tag_map")
    return {(raw_tag, vocabulary): canonical_tag for raw_tag, vocabulary, canonical_tag in rows}


@pytest.fixture(scope="module")
def links(built):
    columns = "score, method, rule_score, token_score, cooccurrence_score, users_of_both"
    return {
        (tag, other): dict(zip(columns.split(", "), evidence, strict=True))
        for tag, other, *evidence in rows_of(built, f"select tag, other_tag, {columns} from tag_links")
    }


# One subject


def test_every_planted_variant_is_merged(canonical):
    used = [{pair for pair in group if pair in canonical} for group in PLANTED_VARIANTS]
    groups = [group for group in used if len({tag for tag, _ in group}) > 1]
    assert len(groups) > 0.8 * len(PLANTED_VARIANTS)
    split = [group for group in groups if len({canonical[pair] for pair in group}) > 1]
    assert split == []


def test_no_trap_is_merged(canonical):
    used = [(one, other) for one, other in TRAPS if one in canonical and other in canonical]
    assert len(used) > 0.4 * len(TRAPS)
    assert [pair for pair in used if canonical[pair[0]] == canonical[pair[1]]] == []


def test_no_two_subjects_of_the_sample_are_merged(canonical):
    subject_of = defaultdict(set)
    for number, subject in enumerate(SUBJECTS):
        for pair in subject.spellings():
            subject_of[pair].add(number)
    subjects = defaultdict(list)
    for pair, tag in canonical.items():
        subjects[tag].append(subject_of[pair])
    assert len(subjects) > 500
    assert [tag for tag, numbers in subjects.items() if not set.intersection(*numbers)] == []


# Related subjects


def test_users_of_both_and_their_mutual_information_are_those_of_the_files(project, canonical, links):
    def read(name):
        with open(project.folder / "seeds" / f"{name}.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    tags_of = defaultdict(set)
    for row in read("course_tags"):
        if row["course_tags"]:
            tags_of[row["course_id"]].add(canonical[row["course_tags"], "course"])
    touched = defaultdict(set)
    for row in read("user_interests"):
        touched[row["user_handle"]].add(canonical[row["interest_tag"], "interest"])
    for row in read("user_assessment_scores"):
        touched[row["user_handle"]].add(canonical[row["assessment_tag"], "assessment"])
    for row in read("user_course_views"):
        touched[row["user_handle"]] |= tags_of[row["course_id"]]

    users, users_of_both = defaultdict(int), defaultdict(int)
    for tags in touched.values():
        for tag in tags:
            users[tag] += 1
        for pair in combinations(sorted(tags), 2):
            users_of_both[pair] += 1
    expected = {}
    for tag, other in links:
        both = users_of_both[min(tag, other), max(tag, other)]
        information = 0
        if both:
            probability = both / len(touched)
            information = math.log(probability / (users[tag] / len(touched) * users[other] / len(touched)))
            information = max(information / -math.log(probability), 0) * both / (both + 5)
        expected[tag, other] = (both, pytest.approx(information, abs=1e-12))
    assert sum(both > 10 for both, _ in expected.values()) > 100
    assert {pair: (link["users_of_both"], link["cooccurrence_score"]) for pair, link in links.items()} == expected


def test_links_are_the_same_in_both_orders_and_pass_the_least_score(links):
    assert len(links) > 400
    assert all(links[other, tag] == link for (tag, other), link in links.items())
    assert all(0.7 <= link["score"] <= 1 for link in links.values())
    assert all(tag != other for tag, other in links)


def test_rivals_are_not_linked_however_many_users_have_both(built, links):
    # Subjects of one topic of the sample go together, but only their names or the field's knowledge relate them.
    rivals = [("angular-js", "vue-js"), ("hadoop", "kafka"), ("cucumber", "jmeter"), ("maya", "zbrush")]
    known = {tag for (tag,) in rows_of(built, "select canonical_tag from tags")}
    present = [pair for pair in rivals if known.issuperset(pair)]
    assert len(present) >= 3
    assert [pair for pair in present if pair in links] == []


def test_related_matches_are_what_links_add_to_plain_ones(project, built):
    matches = rows_of(
        built,
        """
        select distinct courses.user_handle, courses.course_id, interests.feature
        from user_courses as courses
        inner join (select distinct course_id, unnest(course_tags) as tag from courses) as tags
            using (course_id)
        inner join tag_links on tags.tag = tag_links.tag
        inner join (
            select user_handle, unnest(interest_tags) as feature from user_courses
        ) as interests
            on courses.user_handle = interests.user_handle and tag_links.other_tag = interests.feature
        """,
    )
    flags = {
        (user, course): (plain, related)
        for user, course, plain, related in rows_of(
            built, "select user_handle, course_id, matches_interest, matches_related_interest from user_courses"
        )
    }
    # These interests are some of the user's: each must show, and nothing that matches plainly may be lost.
    assert len(matches) > 100
    assert all(flags[user, course][1] for user, course, _ in matches)
    assert all(related for plain, related in flags.values() if plain)
    assert sum(related and not plain for plain, related in flags.values()) > 50
    assert sum(not related for _, related in flags.values()) > 50


@pytest.fixture(scope="module")
def surer_links(project, built):
    succeeded(project.dbt(*SELECTED, "int_tag_links", "tag_links", "--vars", "{tag_link_min_score: 0.9}"))
    with project.open_build() as connection:
        return set(rows_of(connection, "select tag, other_tag from tag_links"))


def test_the_least_score_is_a_setting(surer_links, links):
    assert surer_links == {pair for pair, link in links.items() if link["score"] >= 0.9}
    assert 0 < len(surer_links) < len(links)


# What an owner says


def write_overrides(project, *lines):
    (project.folder / "seeds" / "tag_overrides.csv").write_text("\n".join([HEADER, *lines]) + "\n")


@pytest.fixture(scope="module")
def overridden(project, surer_links):
    write_overrides(
        project,
        # The rules merge html and html5; here the course's is another subject. The merges are a chain.
        "separate,html5,course,html,interest,we teach the APIs",
        'merge,sass,,svg,,"odds, and ends"',
        "merge,svg,course,webpack,interest,front-end odds and ends",
    )
    succeeded(project.dbt(*SELECTED, "tag_overrides", "int_tag_overrides", "int_tag_map", "tag_map"))
    with project.open_build() as connection:
        return {
            (raw_tag, vocabulary): tuple(decision)
            for raw_tag, vocabulary, *decision in rows_of(
                connection, "select raw_tag, vocabulary, canonical_tag, method, score, reason from tag_map"
            )
        }


def test_an_override_separates_one_spelling_and_leaves_the_others(overridden, canonical):
    assert canonical["html5", "course"] == canonical["html5", "assessment"] == canonical["html", "interest"]
    assert overridden["html5", "course"] == ("html5", "identical", 1, "we teach the APIs")
    assert overridden["html5", "assessment"][:2] == ("html", "version")
    assert overridden["html", "interest"] == ("html", "identical", 1, None)


def test_overrides_merge_and_merges_add_up(overridden, canonical):
    named = [("sass", "course"), ("sass", "interest"), ("svg", "course"), ("svg", "interest"), ("webpack", "interest")]
    assert len({canonical[pair] for pair in named}) == 3
    assert len({overridden[pair][0] for pair in named}) == 1
    changed = [overridden[pair] for pair in named if overridden[pair][0] != pair[0]]
    assert changed
    assert {(method, score) for _, method, score, _ in changed} == {("override", 1)}
    assert all("front-end odds and ends" in reason for *_, reason in changed)


def test_overrides_change_nothing_else(overridden, canonical):
    named = {"html5", "sass", "svg", "webpack"}
    others = {pair: tag for pair, tag in canonical.items() if pair[0] not in named}
    assert len(others) > 500
    assert {pair: overridden[pair][0] for pair in others} == others


@pytest.fixture(scope="module")
def stopped(project, overridden):
    """Build everything with lines that cannot be carried out, each for another reason."""
    published = project.published.name
    write_overrides(
        project,
        "merge,no-such-tag,,html,,one",
        "merge,html,,html5,assessments,two",
        "unite,html,,html5,,three",
        "merge,sass,assessment,html5,,four",
        "separate,html5,,html,,",
        "merge,,,html,,six",
        "merge,css,,sass,,seven",
        "separate,css,interest,sass,interest,eight",
        "merge,html",
        "separate,html,,no-such-other,,eleven",
    )
    return project.dbt("build"), published, project.published.name


def test_overrides_that_cannot_be_carried_out_stop_the_build_and_are_all_named(stopped):
    outcome, *_ = stopped
    assert outcome.exit_status != 0
    sentence = " ".join(outcome.failure("int_tag_overrides"))
    assert "seeds/tag_overrides.csv cannot be carried out: " in sentence
    for words in (
        "line 2: there is no tag no-such-tag",
        "line 3: the vocabulary is assessments, but it must be course, interest, assessment or blank",
        "line 4: the action is unite, but it must be merge or separate",
        "line 5: there is no tag sass in the vocabulary assessment",
        "line 6: the reason is missing",
        "line 7: the tag is missing",
        "line 9: css cannot be separated from sass: they are the same tag, or other lines merge them",
        "line 10: MISSING COLUMNS",
        "line 11: there is no tag no-such-other",
    ):
        assert words in sentence, sentence
    assert "line 8" not in sentence
    assert "Traceback" not in outcome.output


def test_a_stopped_build_publishes_nothing(stopped):
    outcome, before, after = stopped
    assert "SKIP relation intermediate.publication" in outcome.output
    assert before == after
