"""Which weights of the facets are tried, and which of them are proposed."""

import pytest

from kindred.evaluation.report import NDCG, Measure
from kindred.evaluation.weight_search import NDCG_GAIN, Tried, best, grid
from kindred.profiles.facets import Facet


def facet_of(number, name, weight, matching_number=None):
    return Facet(number, name, weight, 1.0, 1.0, 0.0, matching_number or number)


FACETS = {
    facet.number: facet
    for facet in (
        facet_of(1, "courses", 0.6),
        facet_of(2, "next", 0.1, 4),
        facet_of(3, "interests", 0.0),
        facet_of(4, "taken", 0.1, 2),
    )
}


# --- weights to try ----------------------------------------------------------------------------------------


def test_without_a_grid_each_facet_in_turn_is_left_out_halved_and_doubled_and_matching_facets_together():
    assert grid(FACETS, {}) == [
        {},
        {"courses": 0},
        {"courses": 0.3},
        {"courses": 1.2},
        {"next": 0, "taken": 0},
        {"next": 0.05, "taken": 0.05},
        {"next": 0.2, "taken": 0.2},
        {"interests": 0.05},
    ]


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.2, [0, 0.1]), (0.3, [0, 0.15]), (0.5, [0]), (0.05, [0, 0.025, 0.1])]
)
def test_without_a_grid_matching_facets_are_not_raised_above_the_limit(weight, expected):
    pair = {1: facet_of(1, "courses", 1.0), 2: facet_of(2, "next", weight, 3), 3: facet_of(3, "taken", weight, 2)}
    tried = [changes for changes in grid(pair, {}) if "next" in changes]
    assert tried == [{"next": value, "taken": value} for value in expected]


def test_without_a_grid_the_only_facet_with_a_weight_is_not_left_out():
    only = {1: facet_of(1, "courses", 0.5), 2: facet_of(2, "levels", 0.0)}
    assert grid(only, {}) == [{}, {"courses": 0.25}, {"courses": 1.0}, {"levels": 0.05}]


def test_a_grid_has_each_combination_once_without_the_weights_in_place():
    assert grid(FACETS, {"courses": (0.6, 0.5), "interests": (0.0, 0.2, 0.2)}) == [
        {},
        {"interests": 0.2},
        {"courses": 0.5},
        {"courses": 0.5, "interests": 0.2},
    ]


@pytest.mark.parametrize("name", ["next", "taken"])
def test_in_a_grid_matching_facets_share_a_weight_without_a_limit(name):
    assert grid(FACETS, {name: (0.1, 3.0)}) == [{}, {"next": 3.0, "taken": 3.0}]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"course": (1,)}, "there is no facet course: the facets are courses, next, interests, taken"),
        ({"courses": (0.5, -0.1)}, "the weights of courses must be 0 or more"),
        ({"courses": (float("nan"),)}, "the weights of courses must be 0 or more"),
        ({"courses": (float("inf"),)}, "the weights of courses must be 0 or more"),
        ({"courses": (0.5, 0), "next": (0,)}, "at least one facet needs a weight above 0"),
    ],
)
def test_a_wrong_grid_is_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        grid(FACETS, weights)


# --- the proposal ------------------------------------------------------------------------------------------


def tried(ndcg, gain_low, gain_high, **changes):
    gain = Measure(NDCG_GAIN, "all_facets", (gain_low + gain_high) / 2, gain_low, gain_high)
    return Tried(changes, [gain, Measure(NDCG, "all_facets", ndcg, ndcg - 0.1, ndcg + 0.1)])


def test_the_best_weights_that_gain_beyond_chance_are_proposed():
    in_place = tried(0.3, 0, 0)
    by_chance = tried(0.5, -0.01, 0.4, courses=1)
    some, most = tried(0.35, 0.01, 0.09, courses=2), tried(0.36, 0.001, 0.12, courses=3)
    assert best([in_place, by_chance, some, most]) is most
    assert best([in_place, by_chance, most, some]) is most
    assert best([in_place, by_chance]) is None
    assert best([in_place]) is None
