"""The map of users, from profiles to positions."""

import numpy as np
import pytest
from positions import share_of_nearest_in_group
from scipy import sparse

from kindred.graph import user_map
from kindred.graph.shared_neighbours import shared_neighbour_graph
from kindred.graph.user_map import NEAREST_USERS, map_users
from kindred.matrices import tie_key
from kindred.neighbours.top_k import top_k

LISTED = 25


def grouped_profiles(users=600, groups=12, features=8, seed=9, of_next=0.05):
    """Give each group its own features, and its users some features of the next group and a few of all others."""
    rng = np.random.default_rng(seed)
    group = np.sort(rng.integers(0, groups, users))
    ahead = np.repeat(np.arange(groups), features) - group[:, None]
    chances = np.select([ahead == 0, ahead == 1], [0.7, of_next], 0.05)
    weights = rng.uniform(0.2, 1, ahead.shape) * (rng.random(ahead.shape) < chances)
    return weights, group


def map_of(weights, users=None):
    """Place users by their profiles, as a build does."""
    nearest, _ = top_k(sparse.csr_array(weights), LISTED, metric="dot")
    users = np.arange(1, len(weights) + 1) if users is None else users
    keys = np.array([tie_key(str(user)) for user in users.tolist()], dtype=np.int64)
    _, equal = np.unique(weights, axis=0, return_inverse=True)
    return map_users(shared_neighbour_graph(nearest), nearest[:, :NEAREST_USERS], equal.astype(np.uint64), keys)


@pytest.fixture(params=[None, 150], ids=["all-laid-out", "a-sample-laid-out"])
def laid_out(request, monkeypatch):
    """Run a test with all users laid out, and with only a sample of them."""
    if request.param:
        monkeypatch.setattr(user_map, "MAX_LAID_OUT_USERS", request.param)


@pytest.mark.usefixtures("laid_out")
def test_groups_are_further_apart_than_by_svd():
    weights, group = grouped_profiles()
    left, values, _ = np.linalg.svd(weights, full_matrices=False)
    by_svd = share_of_nearest_in_group((left * values)[:, 1:3], group)
    on_map = share_of_nearest_in_group(map_of(weights), group)
    assert on_map > 0.9
    assert on_map > by_svd + 0.3


@pytest.mark.usefixtures("laid_out")
def test_the_same_profiles_give_the_same_bits():
    weights, _ = grouped_profiles()
    np.testing.assert_array_equal(map_of(weights), map_of(weights))


@pytest.mark.usefixtures("laid_out")
def test_positions_follow_their_users_in_any_order():
    weights, _ = grouped_profiles()
    users = np.arange(1, len(weights) + 1)
    order = np.random.default_rng(0).permutation(len(users))
    np.testing.assert_allclose(map_of(weights[order], users[order]), map_of(weights)[order], atol=1e-6)


@pytest.mark.usefixtures("laid_out")
def test_equal_users_lie_in_one_place():
    weights, _ = grouped_profiles(users=300)
    positions = map_of(np.vstack([weights, weights, weights[:5]]))
    np.testing.assert_array_equal(positions[:300], positions[300:600])
    np.testing.assert_array_equal(positions[:5], positions[600:])
    # Users outside a sample who are tied to one and the same user of it lie where that one lies.
    assert len(np.unique(positions, axis=0)) >= 285


@pytest.mark.usefixtures("laid_out")
def test_users_who_share_nothing_lie_in_the_corner():
    weights, _ = grouped_profiles()
    weights[[7, 300]] = 0
    alone = np.zeros((len(weights), 1))
    alone[20] = 1
    weights[20] = 0
    positions = map_of(np.hstack([weights, alone]))
    others = np.delete(positions, [7, 20, 300], axis=0)
    corner = [others[:, 0].max(), others[:, 1].min()]
    assert positions[[7, 20, 300]].tolist() == [corner] * 3
    assert not (others == corner).all(axis=1).any()


def test_a_little_less_data_moves_users_little():
    weights, _ = grouped_profiles(of_next=0.45)
    before = map_of(weights)
    after = map_of(weights * (np.random.default_rng(2).random(weights.shape) > 0.01))
    width = np.ptp(before[:, 0])
    moved = np.linalg.norm(after - before, axis=1) / width
    assert np.median(moved) < 0.06
    assert np.percentile(moved, 90) < 0.12


def test_a_sample_changes_little_as_users_leave(monkeypatch):
    """The sample is drawn by the handle, so a few users who leave change a few of its members."""
    monkeypatch.setattr(user_map, "MAX_LAID_OUT_USERS", 100)
    users = np.arange(1, 1001)
    keys = np.array([tie_key(str(user)) for user in users.tolist()])
    is_there = np.random.default_rng(3).random(len(users)) > 0.05
    whole = users[user_map._sample(keys, np.ones(1000, bool))]
    part = users[is_there][user_map._sample(keys[is_there], np.ones(is_there.sum(), bool))]
    assert len(whole) == len(part) == 100
    assert len(np.intersect1d(whole, part)) >= (is_there[whole - 1]).sum()


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(np.zeros((0, 0)), id="no-users"),
        pytest.param(np.zeros((0, 4)), id="features-without-users"),
        pytest.param(np.zeros((4, 0)), id="no-features"),
        pytest.param(np.zeros((4, 4)), id="empty-profiles"),
        pytest.param(np.ones((1, 3)), id="one-user"),
        pytest.param(np.eye(8), id="nothing-in-common"),
        pytest.param(np.ones((40, 3)), id="all-equal"),
        pytest.param(np.outer(np.arange(1, 9), np.ones(6)), id="same-direction"),
    ],
)
def test_too_little_for_a_map_is_finite(weights):
    positions = map_of(weights)
    assert positions.shape == (len(weights), 2)
    assert np.isfinite(positions).all()
    if (
        not len(weights)
        or (weights == weights[0]).all()
        or (weights == np.eye(len(weights))[:, : weights.shape[1]]).all()
    ):
        assert positions.round(9).tolist() == [[0, 0]] * len(weights)


@pytest.mark.parametrize("users", [2, 3])
def test_a_few_users_are_apart(users):
    weights = np.eye(users) + np.linspace(0.1, 0.3, users)[:, None]
    positions = map_of(weights)
    assert np.isfinite(positions).all()
    assert len(np.unique(positions.round(3), axis=0)) == users
