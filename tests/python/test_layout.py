"""The map of users in two dimensions."""

import numpy as np
import pytest
from scipy import sparse

from kindred.layout import two_dimensions


def grouped_profiles(users=90, groups=3, features=8, seed=9):
    """Give each group features of its own and everybody a few of the others'."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, users)
    own = np.repeat(np.arange(groups), features) == group[:, None]
    weights = rng.random((users, groups * features)) * (rng.random(own.shape) < np.where(own, 0.8, 0.1))
    return sparse.csr_array(weights), group


def test_similar_users_lie_closer_than_others():
    profiles, group = grouped_profiles()
    positions = two_dimensions(profiles)
    apart = np.linalg.norm(positions[:, None] - positions, axis=2)
    same = group[:, None] == group
    np.fill_diagonal(same, False)
    for number in range(3):
        of_group = group == number
        within = apart[of_group][same[of_group]].mean()
        for other in {0, 1, 2} - {number}:
            assert within < 0.5 * apart[of_group][:, group == other].mean()


def test_positions_are_the_second_and_third_singular_direction():
    profiles, _ = grouped_profiles()
    left, values, right = np.linalg.svd(profiles.toarray())
    for place in (1, 2):
        signed = right[place] * np.sign(right[place][np.abs(right[place]).argmax()])
        expected = profiles.toarray() @ signed
        np.testing.assert_allclose(two_dimensions(profiles)[:, place - 1], expected, atol=1e-9)
    assert left.shape[0] == 90
    assert values[1] > values[2]


def test_positions_follow_their_users_whatever_the_order():
    profiles, _ = grouped_profiles()
    order = np.random.default_rng(0).permutation(profiles.shape[0])
    np.testing.assert_allclose(two_dimensions(profiles[order]), two_dimensions(profiles)[order], atol=1e-9)


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(grouped_profiles()[0].toarray(), id="groups"),
        pytest.param(np.eye(8), id="nobody-alike"),
        pytest.param(np.kron(np.eye(2), np.ones((4, 3))), id="two-equal-groups"),
        pytest.param(np.kron(np.eye(5), np.ones((4, 3))), id="five-equal-groups"),
    ],
)
def test_the_same_profiles_give_the_same_map(weights):
    profiles = sparse.csr_array(weights)
    before = profiles.copy()
    first = two_dimensions(profiles)
    assert first.shape == (len(weights), 2)
    assert first.dtype == np.float64
    assert np.isfinite(first).all()
    for _ in range(3):
        np.testing.assert_array_equal(two_dimensions(profiles), first)
    np.testing.assert_array_equal(profiles.toarray(), before.toarray())


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 9), (3, 9), (9, 3), (9, 2)])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_too_few_users_or_features_all_lie_at_the_origin(shape, weight):
    positions = two_dimensions(sparse.csr_array(np.full(shape, weight)))
    assert positions.tolist() == [[0, 0]] * shape[0]


def test_without_weights_all_lie_at_the_origin():
    assert two_dimensions(sparse.csr_array((6, 6))).tolist() == [[0, 0]] * 6


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(np.ones((8, 8)), id="all-equal"),
        pytest.param(np.outer(np.arange(1, 9), np.ones(6)), id="same-direction"),
        pytest.param(np.eye(8)[[0] * 8], id="one-feature"),
        pytest.param(np.vstack([np.ones(8), np.zeros((7, 8))]), id="one-user"),
    ],
)
def test_users_who_do_not_differ_lie_in_one_place(weights):
    positions = two_dimensions(sparse.csr_array(weights))
    np.testing.assert_allclose(positions, 0, atol=1e-9)


def test_equal_users_lie_in_the_same_place():
    profiles, _ = grouped_profiles()
    twice = sparse.csr_array(sparse.vstack([profiles, profiles]))
    positions = two_dimensions(twice)
    np.testing.assert_allclose(positions[:90], positions[90:], atol=1e-9)
