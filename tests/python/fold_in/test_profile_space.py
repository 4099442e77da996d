"""The similar users of a posted profile: against a warehouse that dbt built, and by hand in small ones."""

import csv
import io
import json
import math
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest
from project import Project, rows_of, succeeded
from ties import key_of, tie_order

from kindred.fold_in.activity import Activity
from kindred.fold_in.profile_space import MAGIC, ProfileSpace
from kindred.fold_in.spelling import spelling_key

USERS = 300

# Letters, digits and signs as nobody in the sample spells them; all of user 1.
ODD_INTERESTS = (
    "Größe & Maß",
    "C++ / CLI",
    "x² + y²",
    "日本語-入門",
    "١٢٣ numbers",
    "F#.net_core",
    "???",
    "ⅧⒶ①",
    "-&-",
)

ODD_COURSE_TAG = "art, design"


# --- a warehouse that dbt built ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a built sample: its published file, the database of the build, and the profile space of it."""
    project = Project(tmp_path_factory.mktemp("profile_space"))
    project.write_sample(USERS)
    seeds = project.folder / "seeds"
    with (seeds / "user_interests.csv").open("a", encoding="utf-8") as file:
        file.writelines(f'1,"{tag}",2017-09-01 12:00:00\n' for tag in ODD_INTERESTS)
    with (seeds / "user_course_views.csv").open(encoding="utf-8") as file:
        course = next(csv.DictReader(file))["course_id"]
    with (seeds / "course_tags.csv").open("a", encoding="utf-8") as file:
        file.write(f'"{course}","{ODD_COURSE_TAG}"\n')
    succeeded(project.dbt("build", "--vars", "{quality_splits: 0}"))
    with project.open_published() as published, project.open_build() as build:
        yield SimpleNamespace(published=published, build=build, space=ProfileSpace.read(published))


@pytest.fixture(scope="module")
def activities(built):
    """Return what every user did, by handle, from the rows that count as they were delivered."""
    found = {handle: Activity([], {}, {}) for (handle,) in rows_of(built.published, "select user_handle from users")}
    for handle, tag in rows_of(built.build, "select user_handle, interest_tag from staging.stg_user_interests"):
        found[handle].interests.append(tag)
    for handle, course, seconds in rows_of(
        built.build,
        """
        select user_handle, course_id, sum(view_seconds) from staging.stg_user_course_views
        group by user_handle, course_id
        """,
    ):
        found[handle].courses[course] = seconds
    # In the order of time, so that of two spellings of an assessment the later score comes last.
    for handle, tag, score in rows_of(
        built.build,
        "select user_handle, assessment_tag, score from staging.stg_user_assessment_scores order by assessed_at, score",
    ):
        found[handle].assessments.pop(tag, None)
        found[handle].assessments[tag] = score
    return found


@pytest.fixture(scope="module")
def encoded(built, activities):
    return {handle: built.space.encode(activity) for handle, activity in activities.items()}


@pytest.fixture(scope="module")
def similarities(built):
    """Return the similarity, by SQL and without the cluster, of every user to all, themselves included."""
    found = {}
    for handle, other, similarity in rows_of(
        built.published,
        """
        select one.user_handle, other.user_handle, sum(one.weight * other.weight)
        from user_features as one
        inner join user_features as other on one.matching_feature_id = other.feature_id
        where one.facet != 'cluster'
        group by all
        """,
    ):
        found.setdefault(handle, {})[other] = similarity
    return found


@pytest.fixture(scope="module")
def listed(built, encoded):
    """Return everybody who has something in common with the activity of every user, by handle."""
    return {handle: built.space.closest(profile, k=USERS) for handle, profile in encoded.items()}


def test_the_sample_can_tell(built, activities):
    assert len(activities) == USERS
    for kind in ("interests", "courses", "assessments"):
        assert sum(1 for activity in activities.values() if getattr(activity, kind)) > USERS / 4
    assert rows_of(
        built.published,
        f"select user_handle from user_features where facet = 'course_tags' and feature = '{ODD_COURSE_TAG}'",
    )
    # It is one tag of the course, of those who viewed the course, and of the lists that are made of it.
    for table in ("courses", "user_courses"):
        assert rows_of(
            built.published, f"select count(*) > 0 from {table} where '{ODD_COURSE_TAG}' in course_tags"
        ) == [(True,)]
    # A posted course does not say by whom and at what level it was: its latest author and level are taken. Who viewed
    # it when they were others would get other features, but in the sample there is nobody.
    assert not rows_of(
        built.build,
        """
        select viewed.user_number
        from intermediate.int_user_courses as viewed
        inner join courses using (course_id)
        where
            viewed.author_handle is distinct from courses.author_handle
            or viewed.level is distinct from courses.level
        """,
    )


@pytest.mark.parametrize(
    "facet",
    [
        "courses",
        "course_tags",
        "interests",
        "assessments",
        "next_courses",
        "taken_courses",
        "view_time",
        "authors",
        "levels",
    ],
)
def test_a_users_own_activity_has_the_weights_of_the_warehouse(built, encoded, facet):
    rows = rows_of(
        built.published, f"select user_handle, feature_id, weight from user_features where facet = '{facet}'"
    )
    expected = {(handle, feature_id): weight for handle, feature_id, weight in rows}
    ids = {row[0] for row in rows_of(built.published, f"select feature_id from features where facet = '{facet}'")}
    weighed = {
        (handle, feature_id): weight
        for handle, profile in encoded.items()
        for feature_id, weight in profile.features.items()
        if feature_id in ids
    }
    assert len(expected) > 200
    assert weighed.keys() == expected.keys()
    wrong = {key: (weighed[key], weight) for key, weight in expected.items() if abs(weighed[key] - weight) > 1e-9}
    assert not wrong


def test_nothing_that_users_did_is_unknown_and_other_spellings_are_told(built, activities, encoded):
    spellings = {
        (vocabulary, raw): tag
        for vocabulary, raw, tag in rows_of(built.published, "select vocabulary, raw_tag, canonical_tag from tag_map")
    }
    mapped = 0
    for handle, profile in encoded.items():
        assert profile.unknown == {"interests": [], "courses": [], "assessments": []}
        for kind in ("interests", "assessments"):
            terms = {term: spellings[kind[:-1], term] for term in getattr(activities[handle], kind)}
            expected = {term: tag for term, tag in terms.items() if term != tag}
            assert profile.mapped[kind] == expected
            mapped += len(expected)
    assert mapped > USERS / 10


def test_a_spelling_has_the_key_that_the_build_gives_it(built):
    keys = dict(rows_of(built.build, "select raw_tag, spelling_key from intermediate.int_tag_keys"))
    assert set(ODD_INTERESTS) <= keys.keys()
    assert {tag: spelling_key(tag, "#+") for tag in keys} == keys


def test_a_users_own_activity_is_as_similar_to_everybody_as_the_user(listed, similarities):
    for handle in listed:
        found = {row["similar_user_handle"]: row["similarity"] for row in listed[handle]}
        assert found == pytest.approx(similarities[handle], abs=1e-9)


def test_a_users_own_activity_finds_the_user_first(built, listed, similarities):
    hubs = dict(rows_of(built.published, "select user_handle, neighbourhood_similarity from users"))

    def ranking_score(handle, other):
        return similarities[handle][other] - 0.25 * hubs[other]

    # Not even by arithmetic does everybody come first: of two who did the same, one is the lesser hub, and who viewed
    # one course may be closer to somebody who viewed it and all that it leads to.
    others = {
        handle
        for handle in listed
        if any(
            ranking_score(handle, other) >= ranking_score(handle, handle) - 1e-9
            for other in listed
            if other != handle and other in similarities[handle]
        )
    }
    alone = listed.keys() - others
    assert len(alone) > 0.9 * USERS
    for handle in alone:
        assert listed[handle][0]["similar_user_handle"] == handle
        assert listed[handle][0]["similarity"] == pytest.approx(similarities[handle][handle], abs=1e-9)


def test_the_closest_are_those_that_similar_users_lists(built, listed):
    compared = 0
    expected = {}
    for handle, other, similarity, cluster_id in rows_of(
        built.published,
        "select user_handle, similar_user_handle, similarity - cluster_part, similar_cluster_id from similar_users",
    ):
        expected[handle, other] = (similarity, cluster_id)
    for handle in listed:
        for row in listed[handle]:
            if (handle, row["similar_user_handle"]) in expected:
                similarity, cluster_id = expected[handle, row["similar_user_handle"]]
                assert row["similarity"] == pytest.approx(similarity, abs=1e-9)
                assert row["cluster_id"] == cluster_id
                compared += 1
    assert compared > 10 * USERS


@pytest.mark.parametrize(("k", "candidates"), [(5, 100), (25, 125), (USERS, 5 * USERS)])
def test_ranks_follow_the_similarity_less_the_correction_among_the_nearest(built, encoded, similarities, k, candidates):
    hubs = dict(rows_of(built.published, "select user_handle, neighbourhood_similarity from users"))
    names = {id_: name for id_, *name in rows_of(built.published, "select feature_id, facet, feature from features")}
    for handle in sorted(encoded):
        own_key = key_of(sorted(tuple(names[feature_id]) for feature_id in encoded[handle].features))
        ties = {other: tie_order(own_key, key_of(other)) for other in similarities[handle]}
        near = sorted(similarities[handle].items(), key=lambda item: (-round(item[1], 10), ties[item[0]]))[:candidates]
        ranked = sorted(near, key=lambda item: (-round(item[1] - 0.25 * hubs[item[0]], 10), ties[item[0]]))[:k]
        rows = built.space.closest(encoded[handle], k)
        assert [row["rank"] for row in rows] == list(range(1, len(ranked) + 1))
        assert [row["similar_user_handle"] for row in rows] == [other for other, _ in ranked]


def test_parts_and_reasons_are_those_of_the_warehouse(built, listed):
    facets = [facet for (facet,) in rows_of(built.published, "select facet from facets order by facet_number")]
    contributions = {}
    for handle, other, *reason in rows_of(
        built.published,
        """
        select user_handle, similar_user_handle, facet, feature, contribution from similar_user_reasons
        where facet != 'cluster'
        """,
    ):
        contributions.setdefault((handle, other), []).append(reason)
    compared = 0
    for handle in listed:
        for row in listed[handle]:
            assert list(row["facets"]) == facets
            assert row["facets"]["cluster"] == 0
            assert sum(row["facets"].values()) == pytest.approx(row["similarity"], abs=1e-12)
            shared = contributions.get((handle, row["similar_user_handle"]))
            if shared:
                parts = dict.fromkeys(facets, 0)
                for facet, _, contribution in shared:
                    parts[facet] += contribution
                assert row["facets"] == pytest.approx(parts, abs=1e-9)
                by_name = {(facet, feature): contribution for facet, feature, contribution in shared}
                found = [reason["contribution"] for reason in row["reasons"]]
                assert found == pytest.approx(sorted(by_name.values(), reverse=True)[:3], abs=1e-9)
                for reason in row["reasons"]:
                    named = by_name[reason["facet"], reason["feature"]]
                    assert named == pytest.approx(reason["contribution"], abs=1e-9)
                compared += 1
    assert compared > 10 * USERS


def test_a_round_trip_through_bytes_changes_nothing(built, activities, encoded, listed):
    space = ProfileSpace.from_bytes(built.space.to_bytes())
    assert space.to_bytes() == built.space.to_bytes()
    for handle in sorted(activities)[:50]:
        assert space.encode(activities[handle]) == encoded[handle]
        assert space.closest(encoded[handle], k=USERS) == listed[handle]


def test_threads_find_what_one_finds(built, activities, encoded, listed):
    handles = sorted(encoded)[:100]

    def find(handle):
        profile = built.space.encode(activities[handle])
        return profile, built.space.closest(profile, k=USERS)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(find, handles))
    assert found == [(encoded[handle], listed[handle]) for handle in handles]


# --- small warehouses, worked out by hand ------------------------------------------------------------------

SETTINGS = {
    "glance_weight": 0.25,
    "hub_correction": 0.0,
    "min_view_seconds": 0,
    "next_max_courses": 30,
    "score_band_weight": 0.5,
    "tag_symbols": "#+",
    "view_time_max_medians": 4,
}


def space_of(
    facets=(),
    features=(),
    user_features=(),
    users=(),
    tag_map=(),
    bundles=(),
    courses=(),
    relations=(),
    score_bands=(),
    usual_view_seconds=None,
    settings=None,
):
    """Return the profile space of a warehouse in memory.

    Facets are (facet, weight_share, count_power, confidence_prior); features (feature_id, facet, feature, rarity) and
    the feature_id that they match, if it is not their own; user_features (user_handle, feature_id, weight); users
    (user_handle, cluster_id, neighbourhood_similarity); tag_map (raw_tag, vocabulary, canonical_tag); bundles
    (canonical_tag, interest_bundle); courses (course_id, course_tags, author_handle, level); relations (course_id,
    next_course_id, strength); score_bands (assessment_tag, band_number, label, below_score).
    """
    connection = duckdb.connect()
    connection.execute(
        """
        create table build_info (settings_json varchar, usual_view_seconds double);
        create table facets (
            facet_number integer, facet varchar, weight_share double, count_power double, confidence_prior double,
            idf_power double default 0, matching_facet_number integer default 0
        );
        create table features (
            feature_id bigint, facet varchar, feature varchar, rarity double, matching_feature_id bigint
        );
        create table user_features (user_handle bigint, feature_id bigint, weight double);
        create table users (user_handle bigint, cluster_id bigint, neighbourhood_similarity double);
        create table tag_map (raw_tag varchar, vocabulary varchar, canonical_tag varchar);
        create table tags (canonical_tag varchar, interest_bundle varchar);
        create table courses (
            course_id varchar, course_tags varchar[], author_handle bigint, level varchar
        );
        create table score_bands (assessment_tag varchar, band_number bigint, label varchar, below_score double);
        create table course_relations (course_id varchar, next_course_id varchar, strength double);
        """
    )
    contents = {
        "build_info": [(json.dumps(SETTINGS | (settings or {})), usual_view_seconds)],
        "facets": [(number, *facet) for number, facet in enumerate(facets, start=1)],
        "features": [feature if len(feature) == 5 else (*feature, feature[0]) for feature in features],
        "user_features": user_features,
        "users": users,
        "tag_map": tag_map,
        "tags": bundles,
        "courses": courses,
        "course_relations": relations,
        "score_bands": score_bands,
    }
    for table, rows in contents.items():
        for row in rows:
            columns = ", ".join(connection.table(table).columns[: len(row)])
            connection.execute(f"insert into {table} ({columns}) values ({', '.join('?' * len(row))})", row)
    return ProfileSpace.read(connection)


TAGS = ("javascript", "d3.js", "c", "c#", "python", "sharp-c", "go")

SPELLED = space_of(
    facets=[("interests", 0.36, 1, 2), ("assessments", 0.64, 1, 0)],
    features=[
        (7, "assessments", "go (course)", 1),
        (1, "interests", "javascript", 2),
        (2, "interests", "c#", 1),
        *((number, "interests", tag, 1) for number, tag in enumerate(("c", "python", "sharp-c", "go"), start=3)),
    ],
    tag_map=[
        ("javascript", "interest", "javascript"),
        ("d3.js", "interest", "d3.js"),
        ("c", "interest", "c"),
        ("c#", "interest", "c#"),
        ("c-sharp", "course", "c#"),
        ("c.sharp", "interest", "sharp-c"),
        ("python-basics", "assessment", "python"),
        ("python", "interest", "python"),
        ("rust", "course", "rust"),
        ("go", "interest", "go"),
        ("go", "course", "go (course)"),
        ("go", "assessment", "go (course)"),
    ],
    # d3.js and javascript are followed by the same users; rust is a subject of courses that nobody follows.
    bundles=[("rust", None), *((tag, "javascript" if tag == "d3.js" else tag) for tag in TAGS)],
)


@pytest.mark.parametrize(
    ("term", "tag"),
    [
        ("javascript", "javascript"),
        ("  javascript\t", "javascript"),
        ("JavaScript", "javascript"),
        ("Java_Script!", "javascript"),
        ("D3-JS", "d3.js"),
        ("C", "c"),
        ("C#", "c#"),
        # as it is spelled in another vocabulary, before the key that it has in its own
        ("c-sharp", "c#"),
        ("C Sharp", "sharp-c"),
        ("python-basics", "python"),
        ("Python Basics", "python"),
        # its own vocabulary first, both as it is spelled and by its key
        ("go", "go"),
        ("GO", "go"),
        ("rust", None),
        ("Rust", None),
        ("cobol", None),
        ("C++", None),
    ],
)
def test_a_spelling_is_found_as_it_is_then_by_its_key_in_its_own_vocabulary_first(term, tag):
    encoded = SPELLED.encode(Activity(interests=[term]))
    stripped = term.strip()
    assert encoded.unknown == {"interests": [stripped] if tag is None else [], "courses": [], "assessments": []}
    is_other = tag is not None and tag != stripped
    assert encoded.mapped == {"interests": {stripped: tag} if is_other else {}, "assessments": {}}
    assert len(encoded.features) == (tag is not None)


def test_what_two_vocabularies_mean_otherwise_is_what_its_own_means():
    encoded = SPELLED.encode(Activity(["go"], {}, {"go": None, "G-O": None}))
    assert encoded.features.keys() == {6, 7}
    assert encoded.mapped == {"interests": {}, "assessments": {"go": "go (course)", "G-O": "go (course)"}}


def test_interests_count_by_bundles_and_what_is_unknown_or_repeated_counts_for_nothing():
    encoded = SPELLED.encode(Activity(["JavaScript", "", "d3.js", " d3.js", "D3 JS", "cobol", "\n", "C#", "cobol "]))
    # javascript and d3.js are two of one bundle with rarity 2; c# one with rarity 1; the confidence is 3 / (3 + 2).
    factor = 0.6 * math.sqrt(3 / 5) / math.sqrt(4**2 + 1**2)
    assert encoded.features == pytest.approx({1: 4 * factor, 2: factor}, rel=1e-12)
    assert encoded.unknown["interests"] == ["cobol"]
    assert encoded.mapped["interests"] == {"JavaScript": "javascript", "D3 JS": "d3.js", "C#": "c#"}


def bands(settings=None, weight_share=0.25, first_edge=100):
    return space_of(
        facets=[("assessments", weight_share, 1, 0)],
        features=[
            (1, "assessments", "python", 3),
            (2, "assessments", "python (low score)", 2),
            (3, "assessments", "python (middle score)", 2),
            (4, "assessments", "python (high score)", 2),
            (5, "assessments", "r", 4),
        ],
        tag_map=[
            ("python", "assessment", "python"),
            ("python-basics", "assessment", "python"),
            ("r", "assessment", "r"),
            ("go", "interest", "go"),
        ],
        bundles=[("go", "go")],
        # in any order: their numbers say which comes first
        score_bands=[
            ("python", 3, "high score", None),
            ("python", 2, "middle score", 200),
            ("python", 1, "low score", first_edge),
            ("r", 1, "any score", None),
        ],
        settings=settings,
    )


@pytest.mark.parametrize(("score", "band"), [(0, 2), (99.5, 2), (100, 3), (199, 3), (200, 4), (1e6, 4), (None, None)])
def test_a_score_falls_into_the_band_that_it_does_in_sql(score, band):
    encoded = bands().encode(Activity(assessments={"python": score}))
    # 1 x rarity 3 for the assessment, 0.5 x rarity 2 for the band
    length = math.hypot(3, 1) if band else 3
    expected = {1: 0.5 * 3 / length} | ({band: 0.5 * 1 / length} if band else {})
    assert encoded.features == pytest.approx(expected, rel=1e-12)


def test_of_two_spellings_of_an_assessment_the_last_known_score_counts():
    posted = {"Python": 50, "python-basics": 250, "python": None}
    encoded = bands().encode(Activity(assessments=posted))
    assert encoded.features.keys() == {1, 4}
    assert encoded.mapped["assessments"] == {"Python": "python", "python-basics": "python"}
    assert bands().encode(Activity(assessments=dict(reversed(posted.items())))).features.keys() == {1, 2}


def test_bands_without_weight_and_those_that_nobody_is_in_count_for_nothing():
    expected = {1: 0.5 * 3 / 3}
    assert bands({"score_band_weight": 0}).encode(Activity(assessments={"python": 50})).features == expected
    assert bands().encode(Activity(assessments={"r": 15})).features == {5: 0.5}


def test_a_subject_has_its_own_bands():
    assert bands(first_edge=10).encode(Activity(assessments={"python": 15})).features.keys() == {1, 3}


def test_an_interest_in_which_nobody_was_assessed_is_an_unknown_assessment():
    encoded = bands().encode(Activity(assessments={"go": 100, "Go!": None, "": 3}))
    assert encoded.features == {}
    assert encoded.unknown == {"interests": [], "courses": [], "assessments": ["go", "Go!"]}


def test_facets_without_weight_and_those_that_are_not_ours_have_no_features():
    assert bands(weight_share=0).encode(Activity(assessments={"python": 50})).features == {}
    own = space_of(
        facets=[("moods", 1, 1, 0)],
        features=[(1, "moods", "a", 1)],
        courses=[("a", ["b"], 1, "Beginner")],
    )
    assert own.encode(Activity(["a"], {"a": 3}, {"a": 3})).features == {}


COURSES = {
    "facets": [
        ("courses", 0.5, 1, 1),
        ("course_tags", 0.5, 1, 1),
        ("view_time", 0.5, 0.5, 2),
        ("authors", 0.5, 1, 0),
        ("levels", 0.5, 1, 0),
    ],
    "features": [
        (11, "courses", "a", 2),
        (12, "courses", "b", 1),
        (13, "courses", "c", 1),
        (21, "course_tags", "art, design", 1),
        (22, "course_tags", "music", 1),
        (23, "course_tags", "art", 1),
        (31, "view_time", "a", 2),
        (32, "view_time", "b", 1),
        (33, "view_time", "c", 1),
        (34, "view_time", "d", 1),
        (41, "authors", "7", 1),
        (42, "authors", "8", 1),
        (51, "levels", "Beginner", 1),
    ],
    "tag_map": [(tag, "course", tag) for tag in ("art, design", "music", "art", "law")],
    "courses": [
        ("a", ["art, design", "music"], 7, "Beginner"),
        ("b", ["art, design"], 7, "Beginner"),
        ("c", ["art", "law", "music"], 8, "Expert"),
        ("d", None, None, None),
        ("e", None, None, None),
    ],
}


def test_courses_are_weighed_in_every_facet_that_comes_from_them():
    space = space_of(**COURSES)
    seconds = {"a": 100.0, " b ": 300.0, "c": 2000.0, "d": 0.0, "e": None, "z": None, " ": 5}
    encoded = space.encode(Activity(courses=seconds))
    root = math.sqrt(0.5)
    # Nobody has viewed d or e, so that they do not count: n = 3 of n + 1, rarities 2, 1 and 1.
    factor = root * math.sqrt(3 / 4) / math.sqrt(6)
    expected = {11: 2 * factor, 12: factor, 13: factor}
    # a is half 'art, design' and half music, b is all 'art, design', c a third art, law, which nobody has, and music.
    parts = {21: 3 / 2, 22: 1 / 2 + 1 / 3, 23: 1 / 3}
    factor = root * math.sqrt((8 / 3) / (8 / 3 + 1)) / math.hypot(*parts.values())
    expected |= {feature: part * factor for feature, part in parts.items()}
    # The median of 0, 100, 300 and 2000 is 200: a half, three halves, and ten, of which four count; their roots.
    parts = {31: math.sqrt(1 / 2), 32: math.sqrt(3 / 2), 33: 2}
    rare = {31: 2 * parts[31], 32: parts[32], 33: parts[33]}
    total = sum(parts.values())
    factor = root * math.sqrt(total / (total + 2)) / math.hypot(*rare.values())
    expected |= {feature: part * factor for feature, part in rare.items()}
    expected |= {41: root * 2 / math.sqrt(5), 42: root * 1 / math.sqrt(5), 51: root}
    assert encoded.features == pytest.approx(expected, rel=1e-12)
    assert encoded.unknown == {"interests": [], "courses": ["z"], "assessments": []}


def test_a_glance_counts_less_in_every_facet_that_comes_from_courses():
    space = space_of(**COURSES, usual_view_seconds=1000.0)
    # Usual are 1,000 seconds, more than the median of 1,800, 150 and 20, so that a view counts in full from 250.
    encoded = space.encode(Activity(courses={"a": 1800.0, "b": 150.0, "c": 20.0}))
    root = math.sqrt(0.5)
    shares = {11: 1.0, 12: 0.6, 13: 0.25}
    rare = {11: 2.0, 12: 0.6, 13: 0.25}
    factor = root * math.sqrt(sum(shares.values()) / (sum(shares.values()) + 1)) / math.hypot(*rare.values())
    assert {number: encoded.features[number] for number in rare} == pytest.approx(
        {number: weight * factor for number, weight in rare.items()}, rel=1e-12
    )
    parts = {21: 1 / 2 + 0.6, 22: 1 / 2 + 0.25 / 3, 23: 0.25 / 3}
    factor = root * math.sqrt(sum(parts.values()) / (sum(parts.values()) + 1)) / math.hypot(*parts.values())
    assert {number: encoded.features[number] for number in parts} == pytest.approx(
        {number: part * factor for number, part in parts.items()}, rel=1e-12
    )
    assert [encoded.features[number] for number in (41, 42, 51)] == pytest.approx(
        [root * 1.6 / math.hypot(1.6, 0.25), root * 0.25 / math.hypot(1.6, 0.25), root], rel=1e-12
    )
    # A median of 4,000 seconds is more than usual: 600 are a glance beside it. An unknown time counts in full.
    encoded = space.encode(Activity(courses={"a": 4000.0, "b": 600.0, "c": 9000.0, "e": None}))
    assert encoded.features[12] / encoded.features[13] == pytest.approx(0.6)


@pytest.mark.parametrize("seconds", [{"a": None, "b": None}, {"a": 0, "b": 0}, {"a": 0, "b": 0, "c": 9}])
def test_who_has_no_median_has_no_view_time(seconds):
    assert not {31, 32, 33} & space_of(**COURSES).encode(Activity(courses=seconds)).features.keys()


def test_views_below_the_least_are_no_evidence():
    space = space_of(**COURSES, settings={"min_view_seconds": 60})
    long_enough = space.encode(Activity(courses={"a": 60, "b": None}))
    assert space.encode(Activity(courses={"a": 60, "b": None, "c": 59.9})) == long_enough
    assert {11, 12, 31} <= long_enough.features.keys()
    assert space.encode(Activity(courses={"z": 1})).unknown["courses"] == ["z"]


# next_courses (ids 1 to 3) and taken_courses (4 to 6) match each other, place by place.
LEADING = {
    "facets": [("next_courses", 0.25, 1, 0), ("taken_courses", 0.25, 0, 0)],
    "features": [
        *((number, "next_courses", course, 1, number + 3) for number, course in enumerate("abc", start=1)),
        *((number, "taken_courses", course, 1, number - 3) for number, course in enumerate("abc", start=4)),
    ],
    "courses": [(course, None, None, None) for course in "abcd"],
    "relations": [("a", "b", 0.3), ("a", "c", 0.2), ("d", "b", 0.5), ("d", "a", 0.9), ("b", "d", 0.7)],
    "users": [(10, 0, 0.0), (20, 4, 0.0), (30, -1, 0.0)],
    # 10 took b, 20 is about to take a, and 30 about to take b, as the posted profile is: that is nothing in common.
    "user_features": [(10, 5, 0.5), (20, 1, 0.4), (30, 2, 0.5)],
}


def test_what_one_is_about_to_take_meets_what_another_took_and_the_other_way_round():
    space = space_of(**LEADING)
    encoded = space.encode(Activity(courses={"a": None, "d": None}))
    # a and d lead to b by 0.3 + 0.5, to c by 0.2; d leads to a too, but a is viewed. Nobody has taken d.
    length = math.hypot(0.8, 0.2)
    assert encoded.features == pytest.approx({2: 0.5 * 0.8 / length, 3: 0.5 * 0.2 / length, 4: 0.5}, rel=1e-12)
    about_to_take_b = 0.5 * 0.5 * 0.8 / length
    assert space.closest(encoded, k=5) == [
        {
            "rank": 1,
            "similar_user_handle": 10,
            "similarity": pytest.approx(about_to_take_b),
            "facets": {"next_courses": pytest.approx(about_to_take_b), "taken_courses": 0},
            "cluster_id": 0,
            "reasons": [{"facet": "next_courses", "feature": "b", "contribution": pytest.approx(about_to_take_b)}],
        },
        {
            "rank": 2,
            "similar_user_handle": 20,
            "similarity": pytest.approx(0.2),
            "facets": {"next_courses": 0, "taken_courses": pytest.approx(0.2)},
            "cluster_id": 4,
            "reasons": [{"facet": "taken_courses", "feature": "a", "contribution": pytest.approx(0.2)}],
        },
    ]


def test_only_so_many_next_courses_count_as_the_build_lists():
    space = space_of(**LEADING, settings={"next_max_courses": 1})
    assert space.encode(Activity(courses={"a": None})).features == pytest.approx({2: 0.5, 4: 0.5})


def compared_by_interests(weights, hubs=None, **settings):
    """Return a space in which each user has a weight in some of the interests a to e, and a profile of all five.

    Each of the posted features weighs sqrt(1 / 5), which is divided out of the given weights: a user's similarity is
    their sum.
    """
    space = space_of(
        facets=[("interests", 1, 0, 0)],
        features=[(number, "interests", tag, 1) for number, tag in enumerate("abcde", start=1)],
        tag_map=[(tag, "interest", tag) for tag in "abcde"],
        bundles=[(tag, tag) for tag in "abcde"],
        users=[(user, -1, (hubs or {}).get(user, 0.0)) for user in [*weights, 999]],
        user_features=[
            (user, number, weight * math.sqrt(5))
            for user, row in weights.items()
            for number, weight in enumerate(row, start=1)
            if weight
        ],
        settings=settings,
    )
    return space, space.encode(Activity("abcde"))


def handles(rows):
    return [row["similar_user_handle"] for row in rows]


def by_tie_order(users):
    """Sort users as they are listed for the profile of `compared_by_interests`, if they are equally close."""
    own_key = key_of([("interests", tag) for tag in "abcde"])
    return sorted(users, key=lambda user: tie_order(own_key, key_of(user)))


def test_ties_stand_in_the_order_of_a_hash_also_where_only_the_last_bits_differ():
    # 0.3 + 0.2 + 0.1 is not 0.1 + 0.2 + 0.3 to a computer, and 1e-12 is less than counts; 1e-9 is more.
    space, posted = compared_by_interests(
        {
            40: [0.3, 0.2, 0.1],
            10: [0.1, 0.2, 0.3],
            30: [0.6 + 1e-12],
            20: [0.6 - 1e-12],
            50: [0.6 + 1e-9],
        }
    )
    tied = by_tie_order([10, 20, 30, 40])
    assert tied != [10, 20, 30, 40]
    assert handles(space.closest(posted, k=10)) == [50, *tied]
    assert handles(space.closest(posted, k=3)) == [50, *tied[:2]]


def test_the_order_of_ties_depends_on_what_is_posted():
    activities = [Activity(tags) for tags in ("a", "b", "ab")]
    space, _ = compared_by_interests({user: [0.1, 0.1] for user in range(30)})
    lists = [handles(space.closest(space.encode(activity), k=5)) for activity in activities]
    assert len({tuple(listed) for listed in lists}) == 3
    assert lists == [handles(space.closest(space.encode(activity), k=5)) for activity in activities]


def test_the_largest_reasons_come_first_and_of_equals_the_lower_id():
    space, posted = compared_by_interests({1: [0.1, 0.2, 0.1, 0.1, 0.05], 2: [0, 0, 0, 0.1, 0]})
    first, second = space.closest(posted, k=2)
    assert [reason["feature"] for reason in first["reasons"]] == ["b", "a", "c"]
    assert [reason["contribution"] for reason in first["reasons"]] == pytest.approx([0.2, 0.1, 0.1])
    assert [reason["feature"] for reason in second["reasons"]] == ["d"]
    assert {type(value) for reason in first["reasons"] for value in reason.values()} == {str, float}
    assert [type(first[name]) for name in ("rank", "similar_user_handle", "similarity", "cluster_id")] == [
        int,
        int,
        float,
        int,
    ]


def test_hubs_rank_lower_and_who_is_less_similar_than_asked_for_is_not_listed():
    weights = {1: [0.5], 2: [0.45], 3: [0.4], 4: [1e-12]}
    space, posted = compared_by_interests(weights, hubs={1: 0.4, 2: 0.0, 3: 0.1}, hub_correction=0.25)
    # 0.5 - 0.1, 0.45, 0.4 - 0.025, and next to nothing, but not nothing
    assert handles(space.closest(posted, k=10)) == [2, 1, 3, 4]
    assert handles(space.closest(posted, k=10, min_similarity=0.41)) == [2, 1]
    assert handles(space.closest(posted, k=1, min_similarity=0.46)) == [1]
    assert space.closest(posted, k=10, min_similarity=0.51) == []


def test_only_the_nearest_compete_for_a_place():
    # 101 users by falling similarity: all but the last two are hubs, so that those would come first.
    weights = {user: [0.9 - user / 1000] for user in range(1, 102)}
    space, posted = compared_by_interests(weights, hubs=dict.fromkeys(range(1, 100), 1.0), hub_correction=0.5)
    assert handles(space.closest(posted, k=1)) == [100]
    assert handles(space.closest(posted, k=20)) == [100, *range(1, 20)]
    assert handles(space.closest(posted, k=21)) == [100, 101, *range(1, 20)]


def test_of_those_who_tie_for_the_last_place_among_the_nearest_the_first_by_the_hash_competes():
    weights = {user: [0.9 - user / 1000] for user in range(1, 100)} | {150: [0.5 - 1e-12], 200: [0.5 + 1e-12]}
    space, posted = compared_by_interests(weights, hubs=dict.fromkeys(range(1, 100), 1.0), hub_correction=0.5)
    assert handles(space.closest(posted, k=2)) == [by_tie_order([150, 200])[0], 1]


def test_tie_keys_are_those_of_the_build(built):
    keys = dict(rows_of(built.build, "select user_handle, tie_key from intermediate.int_users"))
    assert keys == {handle: key_of(handle) for handle in keys}
    assert dict(zip(built.space.users, built.space.tie_keys.tolist(), strict=True)).items() <= keys.items()


def test_who_has_nothing_to_go_by_is_close_to_nobody():
    space, _ = compared_by_interests({1: [0.5]})
    for activity in (Activity(), Activity(["", " "]), Activity(["nothing"], {"nothing": 1}, {"nothing": 1})):
        assert space.closest(space.encode(activity), k=10) == []
    alone = Activity(["b"])
    assert space.encode(alone).features
    assert space.closest(space.encode(alone), k=10) == []


def test_a_warehouse_without_users_lists_nobody():
    space = space_of()
    assert space.closest(space.encode(Activity(["a"], {"a": 1}, {"a": 1})), k=10) == []
    assert ProfileSpace.from_bytes(space.to_bytes()).to_bytes() == space.to_bytes()


@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_are_no_list(k):
    space, posted = compared_by_interests({1: [0.5]})
    with pytest.raises(ValueError, match=f"k must be at least 1, not {k}"):
        space.closest(posted, k)


# --- bytes -------------------------------------------------------------------------------------------------


def arrays_of_somebody_else():
    buffer = io.BytesIO()
    np.savez(buffer, features=np.arange(3))
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"", b"{}", MAGIC[:-1], MAGIC[:-2] + b"1\nrest", arrays_of_somebody_else()])
def test_bytes_of_something_else_are_refused(content):
    with pytest.raises(ValueError, match="these bytes are not a profile space"):
        ProfileSpace.from_bytes(content)


def test_damaged_bytes_are_refused():
    whole = space_of(**LEADING).to_bytes()
    for place in range(len(MAGIC), len(whole), 97):
        changed = bytearray(whole)
        changed[place] ^= 1
        for damaged in (bytes(changed), whole[:place]):
            with pytest.raises(ValueError, match="these bytes are a damaged profile space"):
                ProfileSpace.from_bytes(damaged)
