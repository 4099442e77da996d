"""The measures of a build on hidden courses, and that they are about the neighbours that a build lists."""

import math
from dataclasses import replace
from itertools import combinations
from statistics import mean

import numpy as np
import pytest
from project import Project, course_weights, evidence_shares, rows_of, succeeded
from scipy import sparse
from ties import order_of_handles, tie_order

from kindred.build.database import open_build
from kindred.evaluation import report, weight_search
from kindred.evaluation.hold_outs import Split, hide, profiles_from, split_platform
from kindred.evaluation.methods import rerank_split
from kindred.evaluation.platform import TABLES, EvaluationSettings, read_platform
from kindred.evaluation.report import measure, with_weights
from kindred.profiles.facets import weight_shares

USERS = 200
TOP_K = 20
PLACES = 20
SEED, SPLITS = 1, 3
NDCG = "hold_out_ndcg_at_20"
RECALL = "hold_out_recall_at_20"
LIFTS = {("course_overlap_lift", "all_facets"), ("interest_overlap_lift", "all_facets")}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("evaluation"))
    project.write_sample(USERS)
    succeeded(project.dbt("build"))
    return project


@pytest.fixture(scope="module")
def built(project):
    """Open the database of the build; no other dbt command runs in this copy."""
    with project.open_build() as connection:
        yield connection


@pytest.fixture(scope="module")
def quality(built):
    """Return (value, interval_low, interval_high) by measure and variant."""
    return {
        (name, variant): tuple(values)
        for name, variant, *values in rows_of(
            built, "select measure, variant, value, interval_low, interval_high from neighbour_quality"
        )
    }


@pytest.fixture(scope="module")
def platform_and_settings(project, built):
    with open_build(project.folder / "target" / "kindred_build.duckdb", TABLES) as (tables, values):
        return read_platform(tables), EvaluationSettings.read(values)


@pytest.fixture(scope="module")
def platform(platform_and_settings):
    return platform_and_settings[0]


@pytest.fixture(scope="module")
def settings(platform_and_settings):
    return platform_and_settings[1]


# --- references, written without the code under test -------------------------------------------------------


def has(built, table, column, users):
    """Return a table of users and names as a dense 0/1 matrix, with columns sorted by name."""
    pairs = rows_of(built, f"select user_number, {column} from intermediate.{table}")
    names = sorted({name for _, name in pairs})
    matrix = np.zeros((len(users), len(names)))
    for user, name in pairs:
        matrix[user, names.index(name)] = 1
    return matrix


@pytest.fixture(scope="module")
def users(built):
    return [user for (user,) in rows_of(built, "select user_handle from users order by user_handle")]


@pytest.fixture(scope="module")
def views(built, users):
    return has(built, "int_user_courses", "course_id", users)


@pytest.fixture(scope="module")
def splits(views):
    """Return the known and the hidden courses of every split."""
    return [
        tuple(part.toarray() for part in hide(sparse.csr_array(views), 0.2, 5, SEED + number))
        for number in range(SPLITS)
    ]


def similar_rows(similarities, users):
    """List the most similar rows of every row; equally similar ones by tie order."""
    lists = []
    for row, values in enumerate(similarities):
        others = [other for other in range(len(values)) if other != row and values[other] > 0]
        others.sort(key=lambda other: (-round(values[other], 10), order_of_handles(users[row], users[other])))
        lists.append(others[:TOP_K])
    return lists


def voted(lists, similarities, known):
    return np.array([sum((similarities[row, other] * known[other] for other in lists[row]), np.zeros(known.shape[1]))
                     for row in range(len(known))])  # fmt: skip


def gains(scores, known, hidden):
    """Return NDCG and Recall of every user with hidden courses, for recommendations by score."""
    found = []
    for row in np.flatnonzero(hidden.any(axis=1)):
        wanted = [course for course in np.flatnonzero(scores[row] > 0) if not known[row, course]]
        best = sorted(wanted, key=lambda course: (-round(scores[row, course], 12), course))[:PLACES]
        hits = [place for place, course in enumerate(best, start=1) if hidden[row, course]]
        possible = min(PLACES, int(hidden[row].sum()))
        ideal = sum(1 / math.log2(place + 1) for place in range(1, possible + 1))
        found.append((sum(1 / math.log2(place + 1) for place in hits) / ideal, len(hits) / possible))
    return np.array(found).T


def cosines(features):
    lengths = np.linalg.norm(features, axis=1)
    lengths[lengths == 0] = 1
    unit = features / lengths[:, None]
    return unit @ unit.T


def profile_products(built, users, facets):
    """Sum the products of matching weights of the table int_profiles over some facets, for all pairs of users."""
    entries = rows_of(
        built,
        "select user_number, feature_id, matching_feature_id, weight from intermediate.int_profiles where facet in "
        f"({', '.join(map(repr, facets))})",
    )
    ids = sorted({feature for _, *both, _ in entries for feature in both})
    places = {feature: place for place, feature in enumerate(ids)}
    weights, counterparts = np.zeros((2, len(users), len(ids)))
    for user, feature, matching, weight in entries:
        weights[user, places[feature]] = counterparts[user, places[matching]] = weight
    return weights @ counterparts.T


def jaccard(one, other):
    either = np.logical_or(one, other).sum()
    return np.logical_and(one, other).sum() / either if either else 0


# --- the profiles and neighbours of a build ----------------------------------------------------------------


def test_profiles_for_hold_outs_are_those_of_the_build_if_nothing_is_hidden(built, platform, settings):
    profiles = profiles_from(platform, platform.views, settings).weighted(weight_shares(platform.evidence.facets))
    entries = profiles.matrix.tocoo()
    made = {
        (user, feature, matching): weight
        for user, feature, matching, weight in zip(
            profiles.users[entries.row].tolist(),
            profiles.features[entries.col].tolist(),
            profiles.matching_features[entries.col].tolist(),
            entries.data.tolist(),
            strict=True,
        )
    }
    expected = {
        tuple(place): weight
        for *place, weight in rows_of(
            built, "select user_number, feature_id, matching_feature_id, weight from intermediate.int_profiles"
        )
    }
    assert len(rows_of(built, "select distinct facet from intermediate.int_profiles")) == 9
    assert len(expected) > 5000
    assert made.keys() == expected.keys()
    assert max(abs(made[place] - weight) for place, weight in expected.items()) < 1e-9


@pytest.fixture(scope="module")
def reranked(platform, settings):
    """Find the similar users of all users if nothing is hidden."""
    everybody = np.arange(len(platform.evidence.users))
    split = Split(
        everybody,
        platform.views,
        sparse.csr_array(platform.views.shape),
        platform.evidence,
        profiles_from(platform, platform.views, settings),
        platform.tie_keys,
    )
    return rerank_split(split, weight_shares(platform.evidence.facets), everybody, settings)


def test_clusters_for_hold_outs_are_those_of_the_build_if_nothing_is_hidden(built, reranked):
    listed = rows_of(built, "select cluster_id from user_clusters order by user_handle")
    assert reranked.labels.tolist() == [cluster for (cluster,) in listed]
    assert reranked.labels.max() > 3


def test_neighbours_for_hold_outs_are_those_of_the_build_if_nothing_is_hidden(built, reranked, users):
    expected = {
        (user, rank): (other, similarity)
        for user, rank, other, similarity in rows_of(
            built, "select user_handle, rank, similar_user_handle, similarity from similar_users"
        )
    }
    found = {
        (users[row], place + 1): (users[reranked.lists.indices[row, place]], reranked.lists.similarities[row, place])
        for row, place in zip(*np.nonzero(reranked.lists.indices >= 0), strict=True)
    }
    assert len(expected) > 0.9 * USERS * TOP_K
    assert found.keys() == expected.keys()
    assert max(abs(found[place][1] - similarity) for place, (_, similarity) in expected.items()) < 1e-9
    assert {place: other for place, (other, _) in found.items()} == {
        place: other for place, (other, _) in expected.items()
    }


def test_next_courses_are_predicted_from_known_views_only(platform, settings):
    """Nothing hidden may leak: profiles are those of a platform without the hidden views."""
    split = split_platform(platform, settings, 0)
    evidence = platform.evidence
    courses = np.maximum(evidence.courses, 0)
    is_hidden = (split.hidden.toarray()[evidence.rows, courses] > 0) & (evidence.courses >= 0)
    assert is_hidden.sum() > 300
    without = replace(platform, evidence=evidence.of(~is_hidden), views=split.views)
    expected = profiles_from(without, split.views, settings)
    for part in ("features", "matching_features", "users"):
        np.testing.assert_array_equal(
            getattr(split.facet_profiles.profiles, part), getattr(expected.profiles, part), err_msg=part
        )
    assert abs(split.facet_profiles.profiles.matrix - expected.profiles.matrix).max() < 1e-12
    # No user has a feature of the courses facet that comes from a hidden course.
    courses_facet = next(number for number, facet in evidence.facets.items() if facet.name == "courses")
    course_of = dict(
        zip(
            evidence.feature_ids[evidence.facet_numbers == courses_facet].tolist(),
            evidence.courses[evidence.facet_numbers == courses_facet].tolist(),
            strict=True,
        )
    )
    rows, columns = split.facet_profiles.profiles.matrix.nonzero()
    features = split.facet_profiles.profiles.features[columns]
    known = {
        (row, course_of[feature])
        for row, feature in zip(rows.tolist(), features.tolist(), strict=True)
        if feature in course_of
    }
    assert known == set(zip(*(place.tolist() for place in split.views.nonzero()), strict=True))


# --- what neighbour_quality holds --------------------------------------------------------------------------


def test_every_variant_is_measured_with_an_interval_around_its_value(built, quality):
    facets = [facet for (facet,) in rows_of(built, "select facet from facets")]
    alone = {f"{facet}_alone" for facet in facets if facet not in ("cluster", "next_courses", "taken_courses")}
    variants = {
        "all_facets",
        "all_facets_but_cluster",
        "plain_cosine",
        "popularity",
        "next_courses_and_taken_courses_alone",
        *alone,
    }
    for name in (NDCG, RECALL):
        listed = {variant: values for (measured, variant), values in quality.items() if measured == name}
        assert listed.keys() == variants
        for value, low, high in listed.values():
            assert 0 <= low < value < high <= 1
    others = {values[1:] for (name, _), values in quality.items() if name not in (NDCG, RECALL)}
    assert others == {(None, None)}


@pytest.mark.parametrize(("name", "place"), [(NDCG, 0), (RECALL, 1)])
def test_plain_cosine_is_measured_on_all_splits(built, quality, users, splits, name, place):
    interests = has(built, "int_user_interests", "interest_tag", users)
    assessments = has(built, "int_user_assessments", "assessment_tag", users)
    of_splits = []
    for known, hidden in splits:
        similarities = cosines(np.hstack([interests, known, assessments]))
        of_splits.append(gains(voted(similar_rows(similarities, users), similarities, known), known, hidden)[place])
    value, low, high = quality[name, "plain_cosine"]
    of_users = np.mean(of_splits, axis=0)
    assert value == pytest.approx(of_users.mean(), abs=1e-12)
    # The interval is over users, not over users and splits.
    error = 1.96 * of_users.std() / math.sqrt(len(of_users))
    assert (value - low, high - value) == pytest.approx((error, error), rel=0.2)


@pytest.mark.parametrize(("name", "place"), [(NDCG, 0), (RECALL, 1)])
def test_popularity_recommends_the_most_viewed_courses(quality, splits, name, place):
    of_splits = [
        gains(np.tile(known.sum(axis=0), (len(known), 1)), known, hidden)[place].mean() for known, hidden in splits
    ]
    assert quality[name, "popularity"][0] == pytest.approx(np.mean(of_splits), abs=1e-12)


def test_single_facets_are_measured_on_what_is_known(built, quality, users, splits):
    known, hidden = splits[0]
    times = rows_of(built, "select user_number, course_id, total_view_seconds from intermediate.int_user_courses")
    shares = evidence_shares(times)
    names = sorted({course for _, course, _ in times})
    viewed = {
        row: {str(column): shares[row][names[column]] for column in np.flatnonzero(known[row]).tolist()}
        for row in range(len(users))
    }
    weights = course_weights({row: courses for row, courses in viewed.items() if courses}, 1, confidence_prior=5)
    profiles = np.zeros_like(known)
    for (row, course), weight in weights.items():
        profiles[row, int(course)] = weight
    similarities = profiles @ profiles.T
    ndcg, recall = gains(voted(similar_rows(similarities, users), similarities, known), known, hidden)
    assert quality[NDCG, "courses_alone"][0] == pytest.approx(ndcg.mean(), abs=1e-12)
    assert quality[RECALL, "courses_alone"][0] == pytest.approx(recall.mean(), abs=1e-12)


def test_all_facets_are_measured_with_the_neighbours_that_a_build_would_list(quality, platform, settings, splits):
    of_splits = []
    for number, (known, hidden) in enumerate(splits):
        split = split_platform(platform, settings, number)
        np.testing.assert_array_equal(split.views.toarray(), known)
        everybody = np.arange(len(known))
        lists = rerank_split(split, weight_shares(platform.evidence.facets), everybody, settings).lists
        votes = np.zeros_like(known)
        for row, place in zip(*np.nonzero(lists.indices >= 0), strict=True):
            votes[row] += lists.similarities[row, place] * known[lists.indices[row, place]]
        of_splits.append(gains(votes, known, hidden))
    ndcg, recall = np.mean(of_splits, axis=(0, 2))
    assert quality[NDCG, "all_facets"][0] == pytest.approx(ndcg, abs=1e-12)
    assert quality[RECALL, "all_facets"][0] == pytest.approx(recall, abs=1e-12)
    ratio = quality[f"{NDCG}_ratio_to_plain_cosine", "all_facets"][0]
    assert ratio == pytest.approx(ndcg / quality[NDCG, "plain_cosine"][0])


def test_clusters_are_measured_on_hidden_courses(quality, platform, settings, splits):
    counts, alone, lifts = [], [], []
    for number, (known, hidden) in enumerate(splits):
        split = split_platform(platform, settings, number)
        labels = rerank_split(split, weight_shares(platform.evidence.facets), split.rows, settings).labels
        counts.append(len(set(labels.tolist()) - {-1}))
        alone.append((labels < 0).mean())
        in_cluster, in_all = [], []
        for row, course in zip(*np.nonzero(hidden), strict=True):
            if labels[row] >= 0:
                others = (labels == labels[row]) & (np.arange(len(labels)) != row)
                in_cluster.append(known[others, course].mean())
                in_all.append(np.delete(known[:, course], row).mean())
        lifts.append(mean(in_cluster) / mean(in_all))
    assert quality["hold_out_clusters", "user_clusters"][0] == pytest.approx(mean(counts))
    assert quality["hold_out_unclustered_users_share", "user_clusters"][0] == pytest.approx(mean(alone))
    assert quality["hold_out_cluster_lift", "user_clusters"][0] == pytest.approx(mean(lifts))
    assert mean(lifts) > 2
    assert 0.3 < quality["clusters_adjusted_rand_index", "user_clusters"][0] <= 1


def test_neighbours_across_kinds_of_evidence_share_more_than_by_chance(
    built, quality, platform, settings, users, views
):
    """Neighbours by one kind of evidence are compared by the other; chance is the mean of all pairs of users."""
    facet_profiles, shares = profiles_from(platform, platform.views, settings), weight_shares(platform.evidence.facets)
    of_seeds = [
        {lift.measure: lift.value for lift in report.cross_signal_lifts(platform, facet_profiles, shares, drawn)}
        for drawn in (replace(settings, quality_seed=seed) for seed in range(12))
    ]
    interests = has(built, "int_user_interests", "interest_tag", users)
    without_views = ["interests", "assessments"]
    from_views = ["courses", "course_tags", "next_courses", "taken_courses", "view_time", "authors", "levels"]
    has_both = np.flatnonzero(views.any(axis=1) & interests.any(axis=1))
    assert 50 < len(has_both) < USERS
    for name, facets, sets in (
        ("course_overlap_lift", without_views, views),
        ("interest_overlap_lift", from_views, interests),
    ):
        lists = similar_rows(profile_products(built, users, facets), users)
        pairs = [(row, other) for row in has_both for other in lists[row] if other in has_both]
        by_chance = mean(jaccard(sets[one], sets[other]) for one, other in combinations(has_both, 2))
        expected = mean(jaccard(sets[row], sets[other]) for row, other in pairs) / by_chance
        # The random users of a single seed can be far from the mean of all.
        assert quality[name, "all_facets"][0] == pytest.approx(of_seeds[SEED][name], abs=1e-12)
        assert mean(lifts[name] for lifts in of_seeds) == pytest.approx(expected, rel=0.1)
        assert expected > 1.5


def test_how_often_users_are_listed_is_described(built, quality, users):
    listed = [other for (other,) in rows_of(built, "select similar_user_handle from similar_users")]
    counts = np.array([listed.count(user) for user in users])
    deviations = (counts - counts.mean()) / counts.std(ddof=1)
    skew = len(counts) / ((len(counts) - 1) * (len(counts) - 2)) * (deviations**3).sum()
    assert quality["hubness_skew", "similar_users"][0] == pytest.approx(skew)
    assert quality["hubness_max_lists", "similar_users"][0] == counts.max()
    assert quality["unlisted_users_share", "similar_users"][0] == (counts == 0).mean()
    with_lists = {user for (user,) in rows_of(built, "select user_handle from similar_users")}
    assert quality["users_with_neighbours_share", "similar_users"][0] == len(with_lists) / USERS


def test_common_evidence_is_told_apart_from_predictions_and_clusters(built, quality):
    pairs = rows_of(
        built,
        "select courses_part, course_tags_part, interests_part, assessments_part, view_time_part, authors_part, "
        "levels_part, similarity from similar_users",
    )
    expected = mean(sum(parts) / similarity for *parts, similarity in pairs)
    found = quality["similarity_in_common_mean_share", "similar_users"][0]
    assert found == pytest.approx(expected)
    assert 0.2 < found < 0.9


# --- other platforms and weights ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured_again(platform, settings):
    """Repeat the measures of the build, and return them with the reported progress."""
    reported = []
    measures = measure(platform, settings, reported.append)
    return {(each.measure, each.variant): each for each in measures}, reported


def test_the_same_seed_gives_the_same_values_as_in_the_build(quality, measured_again):
    again, _ = measured_again
    assert {each.variant for each in again.values()} >= {"all_facets", "popularity", "user_clusters"}
    for place, each in again.items():
        assert each.value == quality[place][0], place
        if place[0] in (NDCG, RECALL):
            assert (each.interval_low, each.interval_high) == quality[place][1:], place


def test_another_seed_hides_other_courses(platform, settings, quality):
    with_other = measure(platform, replace(settings, quality_seed=9, quality_splits=1))
    other = {each.variant: each.value for each in with_other if each.measure == NDCG}
    assert len(other) > 10
    assert all(value != quality[NDCG, variant][0] for variant, value in other.items())


def test_splits_hide_different_courses_of_the_same_users(platform, settings):
    first, second = (split_platform(platform, settings, number) for number in (0, 1))
    assert first.rows.tolist() == second.rows.tolist()
    assert (first.hidden.toarray() != second.hidden.toarray()).any(axis=1)[first.rows].mean() > 0.7


def test_if_no_user_has_five_courses_nothing_is_hidden(platform, settings):
    kept = platform.views.toarray()
    for row in kept:
        row[np.flatnonzero(row)[4:]] = 0
    few = sparse.csr_array(kept)
    assert max(np.diff(few.indptr)) == 4
    evidence = platform.evidence
    is_kept = (evidence.courses < 0) | (kept[evidence.rows, np.maximum(evidence.courses, 0)] > 0)
    with_few = replace(platform, views=few, evidence=evidence.of(is_kept))
    of_all = measure(platform, replace(settings, quality_splits=1))
    measured = measure(with_few, settings)
    without = [each for each in measured if (each.measure, each.variant) not in LIFTS]
    assert {each.missing_reason for each in without} == {
        "No user has viewed 5 courses or more, so that none can be hidden."
    }
    assert all(math.isnan(each.value) for each in without)
    named = {(each.measure, each.variant) for each in without} | LIFTS
    assert named == {(each.measure, each.variant) for each in of_all}
    # Neighbours by other kinds of evidence need no hidden courses.
    assert [each.missing_reason for each in measured if each not in without] == [None, None]
    assert weight_search.try_weights(with_few, settings, [{}, {"courses": 1}]) == []


def test_a_platform_of_one_kind_of_evidence_says_what_it_lacks(platform, settings):
    evidence = platform.evidence
    is_interest = np.isin(evidence.facet_numbers, numbers_of(evidence, "interests"))
    nothing = sparse.csr_array((USERS, 0))
    without_views = replace(
        platform,
        views=nothing,
        course_tags=sparse.csr_array((0, 0)),
        evidence=evidence.of(is_interest),
    )
    assert {each.missing_reason for each in measure(without_views, settings)} == {
        "There are no course views.",
        "Fewer than two users have both viewed courses and followed interests.",
    }
    assert weight_search.try_weights(without_views, settings, [{}]) == []
    views_only = replace(platform, interests=nothing, assessments=nothing, evidence=evidence.of(evidence.courses >= 0))
    once = replace(settings, quality_splits=1)
    reasons = {(each.measure, each.variant): each.missing_reason for each in measure(views_only, once)}
    assert reasons[NDCG, "all_facets"] is None
    assert reasons[NDCG, "interests_alone"] == "No user has evidence of the facet interests."
    assert reasons["course_overlap_lift", "all_facets"] is not None


def numbers_of(evidence, *names):
    return [number for number, facet in evidence.facets.items() if facet.name in names]


def test_evenly_listed_users_are_not_skewed(platform, settings):
    """All follow one interest: with as many neighbours as there are other users, all are listed equally often."""
    evidence = platform.evidence
    (interests,) = numbers_of(evidence, "interests")
    alike = replace(
        evidence,
        rows=np.arange(USERS),
        facet_numbers=np.full(USERS, interests),
        feature_ids=np.full(USERS, interests * 1_000_000_000 + 1),
        matching_feature_ids=np.full(USERS, interests * 1_000_000_000 + 1),
        courses=np.full(USERS, -1),
        occurrences=np.ones(USERS),
    )
    all_listed = replace(settings, quality_splits=1, top_k=USERS - 1)
    (tried,) = weight_search.try_weights(replace(platform, evidence=alike), all_listed, [{}])
    assert tried.value(weight_search.HUBNESS_SKEW).value == 0


def test_progress_is_reported_once_per_step(settings, measured_again):
    _, reported = measured_again
    assert len(reported) == report.steps(settings)


def test_trying_weights_measures_what_a_build_with_them_would(platform, settings):
    twice = replace(settings, quality_splits=2)
    changes = {"courses": 0.05, "levels": 0.4, "cluster": 0.1}
    tried = weight_search.try_weights(platform, twice, [{}, changes])
    for each in tried:
        measured = measure(with_weights(platform, each.changes), twice)
        expected = {row.measure: row for row in measured if row.variant == "all_facets"}
        for name in (NDCG, RECALL, report.COURSE_LIFT, report.INTEREST_LIFT):
            assert each.value(name).value == pytest.approx(expected[name].value, abs=1e-12), name
        assert each.value(NDCG).interval_low == pytest.approx(expected[NDCG].interval_low, abs=1e-12)
    in_place, other = tried
    gain = other.value(weight_search.NDCG_GAIN)
    assert gain.value == pytest.approx(other.value(NDCG).value - in_place.value(NDCG).value)
    # The gain is measured user by user, so it is more exact than either value.
    width = other.value(NDCG).interval_high - other.value(NDCG).interval_low
    assert 0 < gain.interval_high - gain.interval_low < 0.8 * width
    own = in_place.value(weight_search.NDCG_GAIN)
    assert (own.value, own.interval_low, own.interval_high) == (0, 0, 0)


def test_lists_by_other_weights_are_described(platform, settings):
    """Sixty users follow one interest each: 30 the first, 28 the second and 2 the third. No other user follows any."""
    evidence = platform.evidence
    interests = next(number for number, facet in evidence.facets.items() if facet.name == "interests")
    others = evidence.of(evidence.facet_numbers != interests)
    groups = np.repeat([0, 1, 2], [30, 28, 2])
    features = np.concatenate([others.feature_ids, interests * 1_000_000_000 + 1 + groups])
    matching = np.concatenate([others.matching_feature_ids, interests * 1_000_000_000 + 1 + groups])
    planted = replace(
        others,
        rows=np.concatenate([others.rows, np.arange(60)]),
        facet_numbers=np.concatenate([others.facet_numbers, np.full(60, interests)]),
        feature_ids=features,
        matching_feature_ids=matching,
        courses=np.concatenate([others.courses, np.full(60, -1)]),
        occurrences=np.concatenate([others.occurrences, np.ones(60)]),
    )
    once = replace(settings, quality_splits=1, hub_correction=0)
    changes = {facet.name: float(facet.name == "interests") for facet in evidence.facets.values()}
    _, tried = weight_search.try_weights(replace(platform, evidence=planted), once, [{}, changes])
    assert tried.value(weight_search.WITHOUT_NEIGHBOURS_SHARE).value == pytest.approx(140 / USERS)
    # Two users have a single neighbour, who is tied with nobody.
    assert tried.value(weight_search.TIED_NEIGHBOURS_SHARE).value == pytest.approx(58 / USERS)
    # Of equal users each lists twenty, by tie order.
    counts = np.zeros(USERS)
    for group in (range(30), range(30, 58)):
        for row in group:
            others = sorted(
                set(group) - {row}, key=lambda other: tie_order(platform.tie_keys[row], platform.tie_keys[other])
            )
            counts[others[:20]] += 1
    counts[58:60] = 1
    deviations = (counts - counts.mean()) / counts.std(ddof=1)
    skew = USERS / ((USERS - 1) * (USERS - 2)) * (deviations**3).sum()
    assert tried.value(weight_search.HUBNESS_SKEW).value == pytest.approx(skew)


def test_the_cluster_alone_gives_no_neighbours(platform, settings):
    """Clusters come from profiles without the cluster: if nothing else has weight, there are no neighbours."""
    changes = {facet.name: float(facet.name == "cluster") for facet in platform.evidence.facets.values()}
    _, tried = weight_search.try_weights(platform, replace(settings, quality_splits=1), [{}, changes])
    assert tried.value(NDCG).value == 0
    assert tried.value(weight_search.WITHOUT_NEIGHBOURS_SHARE).value == 1
