"""The settings of dbt_project.yml: each changes what it says, and a wrong name stops the build.

Settings whose effects are apart from each other are tried in one build.
"""

import csv
import datetime
import hashlib
import json
from collections import Counter, defaultdict
from itertools import combinations

import numpy as np
import pytest
import yaml
from project import (
    Project,
    assert_closest_users_are_exact,
    course_weights,
    evidence_shares,
    rows_of,
    succeeded,
)
from scipy import sparse
from ties import order_of_handles

from kindred.evaluation.hold_outs import hide

USERS = 200
FACETS = [
    "courses",
    "course_tags",
    "interests",
    "assessments",
    "next_courses",
    "taken_courses",
    "view_time",
    "authors",
    "levels",
    "cluster",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("vars"))
    project.write_sample(USERS)
    return project


@pytest.fixture(scope="module")
def read(project):
    """Return a function that reads an input as a list of dictionaries."""

    def read_input(name):
        with open(project.folder / "seeds" / f"{name}.csv", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read_input


def build_with(project, settings):
    succeeded(project.dbt("build", "--vars", yaml.safe_dump(settings)))
    return project.open_published()


# Facets, neighbours and clusters

MAX_SHARE = 0.04
VOTERS = 4
QUALITY_SEED = 7
MEASURED_USERS = 150


@pytest.fixture(scope="module")
def weighed(project):
    settings = {
        "top_k": 130,  # more than cluster_neighbours
        "facet_overrides": {
            "courses": {"weight": 0.3, "confidence_prior": 1},
            "course_tags": {"weight": 0},
            "cluster": {"weight": 0},
        },
        "cluster_neighbours": 7,
        "cluster_min_samples": 2,
        "cluster_max_share": MAX_SHARE,
        "cluster_voters": VOTERS,
        "quality_splits": 1,
        "quality_seed": QUALITY_SEED,
        "quality_max_users": MEASURED_USERS,
    }
    with build_with(project, settings) as connection:
        yield connection


def test_top_k_is_the_length_of_the_lists_even_above_what_the_clustering_compares(weighed):
    assert rows_of(weighed, "select max(rank), count(*) > 130 * 150 from similar_users") == [(130, True)]
    assert_closest_users_are_exact(weighed, 130, candidates=650)


def test_an_override_changes_the_facet_and_the_shares_of_all(weighed):
    weights = {
        "courses": 0.3,
        "interests": 0.1,
        "assessments": 0.05,
        "next_courses": 0.2,
        "taken_courses": 0.2,
        "view_time": 0.02,
        "authors": 0.02,
        "levels": 0.01,
    }
    listed = {
        facet: (weight, share)
        for facet, weight, share in rows_of(weighed, "select facet, weight, weight_share from facets")
    }
    assert listed == {facet: pytest.approx((weights.get(facet, 0), weights.get(facet, 0) / 0.9)) for facet in FACETS}
    assert rows_of(weighed, "select facet, confidence_prior from facets where facet in ('courses', 'authors')") == [
        ("courses", 1),
        ("authors", 5),
    ]


def test_weights_in_profiles_follow_the_override(weighed, read):
    courses = evidence_shares(
        (int(row["user_handle"]), row["course_id"], float(row["view_time_seconds"]))
        for row in read("user_course_views")
    )
    listed = rows_of(weighed, "select user_handle, feature, weight from user_features where facet = 'courses'")
    assert {(user, course): weight for user, course, weight in listed} == pytest.approx(
        course_weights(courses, weight_share=0.3 / 0.9, confidence_prior=1)
    )


@pytest.mark.parametrize("facet", ["course_tags", "cluster"])
def test_a_facet_without_weight_is_in_no_profile_and_no_similarity(weighed, facet):
    assert rows_of(weighed, f"select count(*) from user_features where facet = '{facet}'") == [(0,)]
    assert rows_of(weighed, f"select min({facet}_part), max({facet}_part) from similar_users") == [(0, 0)]


def test_clusters_are_found_within_the_settings(weighed):
    users = rows_of(weighed, "select cluster_id, is_core, linked_users from user_clusters")
    sizes = Counter(cluster for cluster, _, _ in users if cluster >= 0)
    assert len(sizes) > 3
    assert max(sizes.values()) <= MAX_SHARE * USERS
    # Users are linked only to those among the 7 who are compared, where 10 would be, and 2 are enough for a core.
    assert max(linked for _, _, linked in users) <= 7
    assert all(is_core == (linked + 1 >= 2) for _, is_core, linked in users)
    assert any(is_core and linked == 1 for _, is_core, linked in users)


def test_every_eps_is_considered_and_the_loosest_within_the_settings_is_taken(weighed):
    search = rows_of(
        weighed,
        "select min_shared, eps, min_samples, largest_cluster_share, is_chosen from cluster_search order by eps",
    )
    assert [min_shared for min_shared, *_ in search] == [8, 7, 6, 5, 4, 3, 2]  # of the 7 compared and oneself
    assert all(eps == pytest.approx(1 - min_shared / 8) for min_shared, eps, *_ in search)
    assert {min_samples for _, _, min_samples, *_ in search} == {2}
    allowed = [min_shared for min_shared, _, _, largest, _ in search if largest <= MAX_SHARE]
    assert [min_shared for min_shared, *_, is_chosen in search if is_chosen] == [min(allowed)]
    assert len(allowed) < len(search)


def test_that_many_nearest_users_vote_for_the_nearest_cluster(weighed):
    clusters = dict(rows_of(weighed, "select user_handle, cluster_id from user_clusters"))
    voters = defaultdict(list)
    # The cluster weighs nothing here, so that these are the nearest users by the profile without it.
    listed = rows_of(weighed, "select user_handle, round(similarity, 10), similar_user_handle from similar_users")
    for user, _, other in sorted(listed, key=lambda row: (row[0], -row[1], order_of_handles(row[0], row[2]))):
        if len(voters[user]) < VOTERS:
            voters[user].append(clusters[other])
    expected = {}
    for user, own in clusters.items():
        votes = Counter(cluster for cluster in voters[user] if cluster >= 0)
        nearest = own if own >= 0 else min(votes, key=lambda vote: (-votes[vote], vote), default=-1)
        expected[user] = nearest, votes[nearest] / max(1, len(voters[user]))
    assert sum(clusters[user] < 0 <= nearest for user, (nearest, _) in expected.items()) > 20
    for table in ("user_clusters", "users"):
        listed = rows_of(weighed, f"select user_handle, nearest_cluster_id, nearest_cluster_share from {table}")
        assert {user: (cluster, share) for user, cluster, share in listed} == expected


def test_courses_are_hidden_by_the_seed_from_so_many_users(weighed, read):
    courses = sorted({row["course_id"] for row in read("user_course_views")})
    users = [user for (user,) in rows_of(weighed, "select user_handle from users")]
    # A sample that depends on the seed alone, whatever machine or release it is drawn on.
    sample = sorted(
        sorted(users, key=lambda user: hashlib.md5(f"{QUALITY_SEED} {user}".encode()).hexdigest())[:MEASURED_USERS]
    )
    assert len(sample) == MEASURED_USERS < len(users)
    views = np.zeros((MEASURED_USERS, len(courses)))
    for user, course in rows_of(weighed, "select user_handle, course_id from user_courses"):
        if user in sample:
            views[sample.index(user), courses.index(course)] = 1
    known, hidden = (part.toarray() for part in hide(sparse.csr_array(views), 0.2, 5, QUALITY_SEED))
    recalls = []
    for own, wanted in zip(known, hidden, strict=True):
        if wanted.any():
            best = [course for course in np.argsort(-known.sum(axis=0), kind="stable") if not own[course]][:20]
            recalls.append(wanted[best].sum() / min(20, wanted.sum()))
    assert rows_of(
        weighed,
        "select value from neighbour_quality where measure = 'hold_out_recall_at_20' and variant = 'popularity'",
    ) == [(pytest.approx(np.mean(recalls), abs=1e-12),)]


def test_a_cluster_without_weight_changes_no_hold_out(weighed):
    variants = rows_of(
        weighed,
        "select measure, count(distinct value), count(*) from neighbour_quality "
        "where variant in ('all_facets', 'all_facets_but_cluster') and measure in "
        "('hold_out_ndcg_at_20', 'hold_out_recall_at_20') group by measure",
    )
    assert sorted(variants) == [("hold_out_ndcg_at_20", 1, 2), ("hold_out_recall_at_20", 1, 2)]


def test_the_settings_in_force_are_kept_with_the_build(weighed, project):
    declared = yaml.safe_load((project.folder / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    numbers = {name: value for name, value in declared.items() if isinstance(value, int | float)}
    ((settings,),) = rows_of(weighed, "select settings_json from build_info")
    assert json.loads(settings) == numbers | {
        "handle_type": "auto",
        "score_band_edges": declared["score_band_edges"],
        "tag_symbols": "#+",
        **{name: declared[name] for name in ("date_forms", "encoding", "missing_values", "tag_separators")},
        "top_k": 130,
        "cluster_neighbours": 7,
        "cluster_min_samples": 2,
        "cluster_max_share": MAX_SHARE,
        "cluster_voters": VOTERS,
        "quality_splits": 1,
        "quality_seed": QUALITY_SEED,
        "quality_max_users": MEASURED_USERS,
    }


# What counts as evidence, and short lists

FROM, TO = "2017-06-15", "2017-09-30"
SECONDS = (60, 600)


@pytest.fixture(scope="module")
def narrowed(project):
    settings = {
        "evidence_from": FROM,
        "evidence_to": TO,
        "min_view_seconds": SECONDS[0],
        "max_view_seconds": SECONDS[1],
        "score_band_edges": [90, 150, 210],
        "score_band_weight": 0.3,
        "view_time_max_medians": 1.5,
        "tag_symbols": "#",
        "bundle_min_jaccard": 0.4,
        "top_k": 6,  # fewer than the neighbourhood that the correction for hubs is about
        "cluster_neighbours": 5,
        "hub_correction": 0.9,
        "relation_max_courses": 60,
        "next_max_courses": 4,
        "quality_splits": 0,
    }
    with build_with(project, settings) as connection:
        yield connection


def test_views_that_are_too_long_are_rejected_and_others_outside_the_settings_are_no_evidence(narrowed, read):
    views, rejected, short, outside = Counter(), 0, 0, 0
    for row in read("user_course_views"):
        seconds = float(row["view_time_seconds"])
        rejected += seconds > SECONDS[1]
        short += seconds < SECONDS[0]
        outside += not FROM <= row["view_date"] <= TO
        if SECONDS[0] <= seconds <= SECONDS[1] and FROM <= row["view_date"] <= TO:
            views[int(row["user_handle"]), row["course_id"]] += 1
    assert min(rejected, short, outside, len(views)) > 50
    listed = rows_of(narrowed, "select user_handle, course_id, total_views from user_courses")
    assert {(user, course): count for user, course, count in listed} == dict(views)
    assert rows_of(narrowed, "select file, reason, count(*) from rejected_rows group by all") == [
        ("user_course_views", "view_time_seconds is more than 600", rejected)
    ]


def test_interests_and_assessments_count_within_the_window_its_days_included(narrowed, read):
    for name, date, first, last in [
        ("user_interests", "date_followed", "min(first_followed_at)", "max(last_followed_at)"),
        ("user_assessment_scores", "user_assessment_date", "null", "max(last_assessed_at)"),
    ]:
        times = [row[date] for row in read(name)]
        inside = [time for time in times if FROM <= time[:10] <= TO]
        assert 10 < len(inside) < len(times)
        ((listed_first, listed_last),) = rows_of(narrowed, f"select {first}, {last} from users")
        assert listed_last == datetime.datetime.fromisoformat(max(inside))
        assert listed_first in (None, datetime.datetime.fromisoformat(min(inside)))


def test_users_outside_the_window_stay_users(narrowed, read):
    named = {int(row["user_handle"]) for name in ("user_interests", "user_assessment_scores") for row in read(name)}
    named |= {
        int(row["user_handle"]) for row in read("user_course_views") if float(row["view_time_seconds"]) <= SECONDS[1]
    }
    assert {user for (user,) in rows_of(narrowed, "select user_handle from users")} == named
    assert rows_of(
        narrowed, "select count(*) > 0 from users where total_courses + total_interests + total_assessments = 0"
    ) == [(True,)]


def test_scores_fall_into_the_bands_and_bands_weigh_what_is_set(narrowed, read):
    def band(score):
        return next((f"below {edge}" for edge in (90, 150, 210) if score < edge), "210 or more")

    canonical = dict(rows_of(narrowed, "select raw_tag, canonical_tag from tag_map where vocabulary = 'assessment'"))
    latest = {}
    for row in sorted(read("user_assessment_scores"), key=lambda row: row["user_assessment_date"]):
        if FROM <= row["user_assessment_date"][:10] <= TO:
            place = int(row["user_handle"]), canonical[row["assessment_tag"]]
            latest[place] = float(row["user_assessment_score"])
    assert {band(score) for score in latest.values()} == {"below 90", "below 150", "below 210", "210 or more"}
    expected = {(user, tag): 1.0 for user, tag in latest}
    expected |= {(user, f"{tag} (score {band(score)})"): 0.3 for (user, tag), score in latest.items()}
    listed = rows_of(
        narrowed, "select user_handle, feature, occurrences from user_features where facet = 'assessments'"
    )
    assert {(user, feature): occurrences for user, feature, occurrences in listed} == expected


def test_view_time_counts_at_most_so_many_medians(narrowed):
    listed = rows_of(narrowed, "select max(occurrences) from user_features where facet = 'view_time'")
    assert listed == [(1.5,)]


@pytest.mark.usefixtures("narrowed")
def test_a_symbol_that_is_not_set_is_punctuation(project):
    # c++ is spelled out (cplusplus) at the next level, so that it stays another subject than c.
    keys = "select raw_tag, spelling_key from intermediate.int_tag_keys where raw_tag in ('c#', 'c++')"
    with project.open_build() as build:
        assert dict(rows_of(build, keys)) == {"c#": "c#", "c++": "c"}


def test_short_lists_are_corrected_by_whole_neighbourhoods(narrowed):
    assert rows_of(narrowed, "select max(rank) from similar_users") == [(6,)]
    assert_closest_users_are_exact(narrowed, 6, candidates=30, hub_correction=0.9)


def test_the_most_viewed_courses_are_related(narrowed):
    viewers = rows_of(narrowed, "select course_id, count(*) from user_courses group by all")
    most_viewed = [course for course, _ in sorted(viewers, key=lambda course: (-course[1], course[0]))][:60]
    related = {
        course
        for pair in rows_of(narrowed, "select course_id, next_course_id from course_relations")
        for course in pair
    }
    assert len(viewers) > 100
    assert len(related) > 40
    assert related <= set(most_viewed)


def test_users_are_about_to_take_at_most_so_many_courses(narrowed):
    counts = Counter(
        user for (user,) in rows_of(narrowed, "select user_handle from user_features where facet = 'next_courses'")
    )
    assert max(counts.values()) == 4
    assert len(counts) > 50


def test_without_splits_only_what_needs_no_hidden_courses_is_measured(narrowed):
    variants = rows_of(narrowed, "select distinct variant from neighbour_quality")
    assert {variant for (variant,) in variants} == {"similar_users", "closest_users", "random_users"}
    assert rows_of(narrowed, "select count(*) > 10, count(*) = count(value) from neighbour_quality") == [(True, True)]


def test_users_on_nobodys_list_count_among_those_who_are_listed_unequally_often(narrowed):
    listed = Counter(user for (user,) in rows_of(narrowed, "select similar_user_handle from similar_users"))
    counts = np.array([listed[user] for (user,) in rows_of(narrowed, "select user_handle from users")])
    assert 0 < (counts == 0).sum() < len(counts)
    deviations = (counts - counts.mean()) / counts.std(ddof=1)
    skew = len(counts) / ((len(counts) - 1) * (len(counts) - 2)) * (deviations**3).sum()
    measured = dict(rows_of(narrowed, "select measure, value from neighbour_quality where variant = 'similar_users'"))
    assert measured["hubness_skew"] == pytest.approx(skew)
    assert measured["unlisted_users_share"] == pytest.approx((counts == 0).mean())


def test_interests_with_that_much_overlap_are_one_feature(narrowed, read):
    canonical = dict(rows_of(narrowed, "select raw_tag, canonical_tag from tag_map where vocabulary = 'interest'"))
    followers = defaultdict(set)
    for row in read("user_interests"):
        if FROM <= row["date_followed"][:10] <= TO:
            followers[canonical[row["interest_tag"]]].add(int(row["user_handle"]))
    bundle = {tag: {tag} for tag in followers}
    for one, other in combinations(sorted(followers), 2):
        both, either = followers[one] & followers[other], followers[one] | followers[other]
        if len(both) >= 0.4 * len(either) and bundle[one] is not bundle[other]:
            bundle[one] |= bundle[other]
            for tag in bundle[other]:
                bundle[tag] = bundle[one]
    # The default of 0.9 would leave many more of them alone.
    expected = {min(tags, key=lambda tag: (-len(followers[tag]), tag)) for tags in bundle.values()}
    assert len(expected) < 0.7 * len(followers)
    listed = rows_of(narrowed, "select distinct feature from user_features where facet = 'interests'")
    assert {feature for (feature,) in listed} == expected


# Names that do not exist and settings that make no sense

FACET = {"description": "x", "weight": 1, "count_power": 1, "idf_power": 0, "confidence_prior": 0}
REFUSED_VARS = {
    "topk": 5,
    "top_k": 0,
    "quality_splits": 1.5,
    "hub_correction": 1.5,
    "view_time_max_medians": 0,
    "tag_symbols": "#a",
    "evidence_from": "soon",
    "glance_weight": 0,
    "score_band_edges": [200, 100],
    "encoding": "latin1",
    "missing_values": "NULL",
    "tag_separators": [";", 1],
    "date_forms": {"view_date": "D/M/Y"},
}
REFUSED_OVERRIDES = {
    "course": {"weight": 1},
    "courses": {"wieght": 1, "count_power": "sqrt"},
    "levels": 0.5,
}
REFUSED_FACETS = [
    {**FACET, "facet": "one", "matches": "none"},
    {**FACET, "facet": "two", "matches": "three"},
    {**FACET, "facet": "three", "weight": -1},
    {**FACET, "facet": "four", "matches": "cluster"},
    {**FACET, "facet": "cluster", "matches": "four"},
]


def sentences_about(project, settings):
    """Return what a build with these vars says is wrong with them, before it starts."""
    outcome = project.dbt("build", "--vars", yaml.safe_dump(settings))
    assert outcome.exit_status != 0
    assert "Traceback" not in outcome.output
    assert "START" not in outcome.output
    printed = outcome.output.split("Compilation Error", 1)[1]
    return [line.strip() for line in printed.splitlines() if line.strip().startswith("The")]


def test_vars_that_make_no_sense_stop_the_build_before_it_starts_and_are_all_named(project):
    declared = yaml.safe_load((project.folder / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    assert sorted(sentences_about(project, REFUSED_VARS)) == sorted(
        [
            f"There is no var topk: the vars are {', '.join(sorted(declared))}.",
            "The var top_k is 0, but it must be a whole number of 1 or more.",
            "The var quality_splits is 1.5, but it must be a whole number of 0 or more.",
            "The var hub_correction is 1.5, but it must be a number of 0 to 1.",
            "The var view_time_max_medians is 0, but it must be a number of 0.001 or more.",
            "The var tag_symbols is #a, but it must be a text of some of the symbols #+&@!%$*=~? such as #+.",
            "The var evidence_from is soon, but it must be a day such as 2017-05-01.",
            "The var glance_weight is 0, but it must be a number of 0.001 to 1.",
            "The var score_band_edges is [200, 100], but it must be a list of rising scores such as [100, 200].",
            "The var encoding is latin1, but it must be utf-8, latin-1 or utf-16.",
            "The var missing_values is NULL, but it must be a list of texts in quotes, or [] for none.",
            "The var tag_separators is [';', 1], but it must be a list of texts in quotes, or [] for none.",
            "The var date_forms is {'view_date': 'D/M/Y'}, but it must name columns (user_assessment_date, view_date, "
            "date_followed) and their forms (YYYY-MM-DD, YYYYMMDD, DD/MM/YYYY, DD.MM.YYYY, DD-MM-YYYY, MM/DD/YYYY, "
            "MM.DD.YYYY, MM-DD-YYYY, DD Mon YYYY, epoch seconds, epoch milliseconds, epoch microseconds, "
            "epoch nanoseconds, days since 1970-01-01, spreadsheet days) such as {view_date: DD/MM/YYYY}.",
        ]
    )


def test_overrides_of_facets_that_make_no_sense_are_all_named_with_what_there_is(project):
    assert sorted(sentences_about(project, {"facet_overrides": REFUSED_OVERRIDES})) == sorted(
        [
            f"The var facet_overrides names the facet course, but the facets are {', '.join(FACETS)}.",
            "The var facet_overrides sets wieght of courses, but a facet has weight, count_power, idf_power, "
            "confidence_prior.",
            "The facet courses has a count_power of sqrt, but it must be a number of 0 or more.",
            "The var facet_overrides sets levels to 0.5, but it must be settings such as {levels: {weight: 0.5}}.",
        ]
    )


def test_facets_that_make_no_sense_are_all_named(project):
    assert sorted(sentences_about(project, {"facets": REFUSED_FACETS})) == sorted(
        [
            "The facet one matches none, but the facets are one, two, three, four, cluster.",
            "The facet two matches three, so that three must match two: similarity is the same from both sides.",
            "The facet three has a weight of -1, but it must be a number of 0 or more.",
            "The facet four matches cluster, but a cluster is matched by itself only.",
            "The facet cluster matches four, but a cluster is matched by itself only.",
        ]
    )


def test_a_list_of_symbols_is_refused(project):
    (sentence,) = sentences_about(project, {"tag_symbols": ["#"]})
    assert sentence.startswith("The var tag_symbols is ['#'], but it must be a text of some of the symbols ")


# A facet of one's own


@pytest.fixture(scope="module")
def with_own_facet(tmp_path_factory):
    """Add a facet as dbt_project.yml says, one model and one row, on a platform without a single assessment."""
    project = Project(tmp_path_factory.mktemp("own-facet"))
    project.write_sample(USERS)
    assessments = project.folder / "seeds" / "user_assessment_scores.csv"
    assessments.write_text(assessments.read_text().splitlines()[0] + "\n")
    (project.folder / "models" / "intermediate" / "facets" / "facet_months.sql").write_text(
        """
        select
            user_number,
            course_id,
            strftime(first_view_date, '%B') as feature,
            cast(1 as double) as occurrences
        from {{ ref('int_user_courses') }}
        """
    )
    settings = project.folder / "dbt_project.yml"
    declared = yaml.safe_load(settings.read_text())
    declared["vars"]["facets"].append(
        {
            "facet": "months",
            "weight": 0.2,
            "count_power": 0.5,
            "idf_power": 1,
            "confidence_prior": 2,
            "description": "Months in which the user's courses began",
        }
    )
    settings.write_text(yaml.safe_dump(declared, sort_keys=False))
    with build_with(project, {}) as connection:
        yield connection


def test_a_facet_of_ones_own_is_part_of_the_similarity(with_own_facet):
    parts = " + ".join(f"{facet}_part" for facet in [*FACETS, "months"])
    ((pairs, with_months, difference),) = rows_of(
        with_own_facet,
        f"select count(*), count(*) filter (where months_part > 0), max(abs({parts} - similarity)) from similar_users",
    )
    assert with_months > 0.1 * pairs > 300
    assert difference < 1e-9
    assert_closest_users_are_exact(with_own_facet, 20)


def test_a_facet_of_ones_own_is_among_the_reasons(with_own_facet):
    months = {
        feature
        for (feature,) in rows_of(
            with_own_facet, "select distinct feature from similar_user_reasons where facet = 'months'"
        )
    }
    assert {"June", "July"} < months


def test_a_platform_without_assessments_still_has_similar_users(with_own_facet):
    rows_read = "select rows_read from input_files where file = 'user_assessment_scores'"
    assert rows_of(with_own_facet, rows_read) == [(0,)]
    assert rows_of(with_own_facet, "select sum(total_assessments), count(avg_assessment_score) from users") == [(0, 0)]
    assert rows_of(with_own_facet, "select count(*) from user_features where facet = 'assessments'") == [(0,)]
    closest = "select count(*) > 150, max(assessments_part) from similar_users where rank = 1"
    assert rows_of(with_own_facet, closest) == [(True, 0)]
