"""Profiles from evidence of which a part may be hidden."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindred.profiles.facets import Facet, weight_shares
from kindred.profiles.weighting import Evidence, weigh

SEARCH = settings(deadline=None, max_examples=150, derandomize=True)


# --- references, written without the code under test -------------------------------------------------------


def reference_profiles(rows, facets):
    """Weigh (user, facet, feature, occurrences) as the docstring of weigh and dbt_project.yml describe it."""
    occurrences = defaultdict(float)
    for user, facet, feature, count in rows:
        occurrences[user, facet, feature] += count
    counts = {place: total ** facets[place[1]].count_power for place, total in occurrences.items()}
    users_of_facet, users_of_feature = defaultdict(set), defaultdict(set)
    for user, facet, feature in counts:
        users_of_facet[facet].add(user)
        users_of_feature[feature].add(user)
    weights = {}
    for (user, facet, feature), count in counts.items():
        rarity = math.log(1 + len(users_of_facet[facet]) / len(users_of_feature[feature])) ** facets[facet].idf_power
        weights[user, facet, feature] = count * rarity
    profiles = {}
    for (user, facet, feature), weight in weights.items():
        own = [place for place in weights if place[:2] == (user, facet)]
        length = math.sqrt(sum(weights[place] ** 2 for place in own))
        evidence = sum(counts[place] for place in own)
        confidence = math.sqrt(evidence / (evidence + facets[facet].confidence_prior))
        profiles[user, feature] = weight / length * confidence
    return profiles


# --- strategies --------------------------------------------------------------------------------------------


def facet_of(number, **changes):
    settings_of = {"weight": 1.0, "count_power": 1.0, "idf_power": 0.0, "confidence_prior": 0.0}
    return Facet(number, f"facet {number}", **(settings_of | {"matching_number": number} | changes))


def evidence_of(rows, facets, users):
    """Turn rows of user, facet, feature, occurrences into evidence; a feature meets that with 7 more."""
    user_rows, numbers, features, occurrences = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else np.zeros((4, 0), dtype=int)
    )
    return Evidence(
        np.arange(users) * 10 + 3,
        user_rows,
        numbers,
        features,
        features + 7,
        np.full(len(rows), -1),
        occurrences.astype(float),
        facets,
    )


@st.composite
def weighable(draw):
    """Draw facets of all kinds, and rows in which some features occur repeatedly and some users have nothing."""
    powers = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0])
    facets = {
        number: facet_of(
            number,
            count_power=draw(powers),
            idf_power=draw(powers),
            confidence_prior=draw(st.sampled_from([0.0, 0.5, 2.0, 5.0])),
        )
        for number in range(1, draw(st.integers(1, 4)) + 1)
    }
    users = draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = []
    for _ in range(draw(st.integers(0, 40))):
        facet = int(rng.choice(list(facets)))
        rows.append(
            (int(rng.integers(users)), facet, facet * 100 + int(rng.integers(5)), float(rng.choice([0.25, 1, 3])))
        )
    return rows, facets, users


def entries_of(profiles):
    """Return the weights by row and feature id."""
    entries = profiles.matrix.tocoo()
    return {
        (row, int(profiles.features[column])): weight
        for row, column, weight in zip(entries.row.tolist(), entries.col.tolist(), entries.data.tolist(), strict=True)
    }


# --- weighing ----------------------------------------------------------------------------------------------


@SEARCH
@given(drawn=weighable())
def test_evidence_is_weighed_as_its_definition_says(drawn):
    rows, facets, users = drawn
    found = weigh(evidence_of(rows, facets, users))
    assert entries_of(found.profiles) == pytest.approx(reference_profiles(rows, facets))
    assert found.profiles.users.tolist() == [10 * user + 3 for user in range(users)]
    assert found.profiles.features.tolist() == sorted({feature for _, _, feature, _ in rows})
    assert found.profiles.matching_features.tolist() == [feature + 7 for feature in found.profiles.features]
    assert found.facet_numbers.tolist() == [feature // 100 for feature in found.profiles.features]


def test_weights_by_hand():
    facets = {1: facet_of(1, count_power=0.5, idf_power=1, confidence_prior=2)}
    rows = [(0, 1, 100, 1.0), (0, 1, 100, 3.0), (0, 1, 101, 1.0), (1, 1, 100, 9.0)]
    found = entries_of(weigh(evidence_of(rows, facets, 3)).profiles)
    # 4 and 1 occurrences count 2 and 1; both users have feature 100, one of them 101.
    common, rare = 2 * math.log(2), 1 * math.log(3)
    length, confidence = math.hypot(common, rare), math.sqrt(3 / (3 + 2))
    assert found == pytest.approx(
        {
            (0, 100): common / length * confidence,
            (0, 101): rare / length * confidence,
            (1, 100): math.sqrt(3 / (3 + 2)),
        }
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("users", [0, 3])
def test_no_evidence_gives_empty_profiles(users):
    found = weigh(evidence_of([], {1: facet_of(1)}, users))
    assert found.profiles.matrix.shape == (users, 0)
    assert found.weighted({1: 1.0}).matrix.shape == (users, 0)


def test_evidence_that_is_taken_out_is_in_no_count():
    facets = {1: facet_of(1, idf_power=2, confidence_prior=5), 2: facet_of(2, count_power=0, idf_power=1)}
    rng = np.random.default_rng(3)
    rows = [
        (int(rng.integers(6)), facet, 100 * facet + int(rng.integers(4)), 1.0) for facet in (1, 2) for _ in range(25)
    ]
    kept = rng.random(50) < 0.6
    left = [row for row, is_kept in zip(rows, kept, strict=True) if is_kept]
    assert entries_of(weigh(evidence_of(rows, facets, 6).of(kept)).profiles) == pytest.approx(
        reference_profiles(left, facets)
    )


# --- weights of facets -------------------------------------------------------------------------------------


def test_similarity_is_the_sum_of_weight_times_cosine_and_facets_without_weight_are_left_out():
    facets = {number: facet_of(number) for number in (1, 2, 3, 4)}
    rng = np.random.default_rng(3)
    rows = [
        (user, facet, 100 * facet + int(rng.integers(3)), float(rng.integers(1, 4)))
        for user in range(6)
        for facet in facets
        for _ in range(2)
    ]
    found = weigh(evidence_of(rows, facets, 6))
    weighted = found.weighted({1: 0.5, 2: 0.0, 4: 0.25})
    assert {feature // 100 for feature in weighted.features.tolist()} == {1, 4}
    assert weighted.matching_features.tolist() == [feature + 7 for feature in weighted.features]
    assert weighted.users.tolist() == found.profiles.users.tolist()
    alone = {number: found.weighted({number: 1.0}).matrix.toarray() for number in (1, 4)}
    cosines = {number: matrix @ matrix.T for number, matrix in alone.items()}
    for matrix in cosines.values():  # without a prior everybody is at full confidence
        np.testing.assert_allclose(np.diag(matrix), 1)
    dense = weighted.matrix.toarray()
    np.testing.assert_allclose(dense @ dense.T, 0.5 * cosines[1] + 0.25 * cosines[4])


def test_without_any_weight_nothing_is_left():
    facets = {1: facet_of(1)}
    assert weigh(evidence_of([(0, 1, 100, 1.0)], facets, 2)).weighted({1: 0.0}).matrix.shape == (2, 0)


def test_shares_are_weights_divided_by_their_sum_with_changes_by_name():
    facets = {2: facet_of(2, weight=0.3), 5: facet_of(5, weight=0.1), 7: facet_of(7, weight=0)}
    assert weight_shares(facets) == pytest.approx({2: 0.75, 5: 0.25, 7: 0})
    assert weight_shares(facets, {"facet 5": 0, "facet 7": 0.2}) == pytest.approx({2: 0.6, 5: 0, 7: 0.4})
    assert [facet.weight for facet in facets.values()] == [0.3, 0.1, 0]
