"""Clusters by shared neighbours: the graph, the search for eps, nearest clusters, and settings for few users."""

from types import SimpleNamespace

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.cluster import DBSCAN

from kindred.build.tables import in_parts
from kindred.graph.clusters import cluster_users, nearest_clusters, shared_neighbour_dbscan
from kindred.graph.eps_search import cluster_lists, neighbours_to_compare, search_eps
from kindred.graph.hierarchy import NO_CLUSTER
from kindred.graph.shared_neighbours import BLOCK_USERS, read_graph, shared_neighbour_graph, shared_neighbours
from kindred.neighbours.top_k import top_k

SEARCH = settings(deadline=None, max_examples=100, derandomize=True)
CLUSTER_SEARCH = settings(deadline=None, max_examples=60, derandomize=True)


# --- references, written without the code under test -------------------------------------------------------


def reference_graph(indices):
    """Count with sets what two users who list each other share; users count as members of their own lists."""
    listed = [{int(other) for other in row if other >= 0} for row in indices]
    shared = np.zeros((len(indices), len(indices)))
    for one, of_one in enumerate(listed):
        for other in of_one:
            if one in listed[other]:
                shared[one, other] = len((of_one | {one}) & (listed[other] | {other}))
    return shared


def reference_dbscan(indices, min_samples):
    """Run DBSCAN on dense distances for every eps: return labels and core users by min_shared."""
    width = indices.shape[1] + 1
    distances = 1 - reference_graph(indices) / width
    np.fill_diagonal(distances, 0)
    found = {}
    for min_shared in range(2, width + 1):
        run = DBSCAN(eps=1 - min_shared / width + 1e-9, min_samples=min_samples, metric="precomputed").fit(distances)
        found[min_shared] = run.labels_, np.isin(np.arange(len(indices)), run.core_sample_indices_)
    return found


def reference_labels(indices, min_samples):
    """Move border users to the core user who was near at the tightest eps, then shares most, then comes first."""
    shared, runs = reference_graph(indices), reference_dbscan(indices, min_samples)
    moved = {}
    for min_shared, (labels, is_core) in runs.items():
        moved[min_shared] = labels.copy()
        for user in np.flatnonzero((labels >= 0) & ~is_core):
            near = [other for other in np.flatnonzero(is_core) if shared[user, other] >= min_shared]
            since = {
                other: max(tight for tight in runs if runs[tight][1][other] and shared[user, other] >= tight)
                for other in near
            }
            best = min(near, key=lambda other: (-since[other], -shared[user, other], other))
            moved[min_shared][user] = labels[best]
    return moved


def largest(labels):
    return max((np.sum(labels == label) for label in set(labels) - {NO_CLUSTER}), default=0)


def members(labels):
    """Return the clusters as sets of users, without their numbers."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist()) - {NO_CLUSTER}}


def expected_clusters(indices, min_samples, max_share):
    """Return the loosest threshold at which no cluster is too large, and its clusters; None if there is no such one."""
    for min_shared, labels in sorted(reference_labels(indices, min_samples).items()):
        if largest(labels) / len(indices) <= max_share:
            return min_shared, members(labels)
    return None, set()


# --- what a build does -------------------------------------------------------------------------------------


def cluster(indices, min_samples, max_share):
    """Search for eps and cluster at it, as the models int_cluster_search and int_user_clusters do."""
    graph = shared_neighbour_graph(indices)
    search = search_eps(graph, indices.shape[1], min_samples, max_share)
    chosen = [(int(search["min_shared"][place]), min_samples) for place in np.flatnonzero(search["is_chosen"])]
    assert len(chosen) <= 1
    found = cluster_users(np.arange(len(indices)), graph, indices[:, :3], chosen[0] if chosen else None)
    return SimpleNamespace(
        labels=found["cluster_id"],
        is_core=found["is_core"],
        linked_users=found["linked_users"],
        min_shared=chosen[0][0] if chosen else None,
    )


# --- neighbour lists to cluster ----------------------------------------------------------------------------


@st.composite
def random_lists(draw, max_users=30):
    users = draw(st.integers(1, max_users))
    k = draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    indices = np.full((users, k), -1)
    for user in range(users):
        others = rng.permutation(np.delete(np.arange(users), user))[: rng.integers(0, k + 1)]
        indices[user, : len(others)] = others
    return indices


@st.composite
def grouped_lists(draw):
    """Draw lists of users who form groups, more or less clearly, like the lists of profiles."""
    users, groups = draw(st.integers(4, 30)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    profiles = np.eye(groups)[rng.integers(0, groups, users)] + draw(st.floats(0, 1.5)) * rng.random((users, groups))
    k = draw(st.integers(1, min(users - 1, 9)))
    indices, _ = top_k(sparse.csr_array(profiles + 0.05), k)
    lengths = rng.integers(0, k + 1, users) if draw(st.booleans()) else np.full(users, k)
    return np.where(np.arange(k) < lengths[:, None], indices, -1)


def ring(users, k, first=0):
    """List for every user in a ring the k nearest ones: neighbours in the ring share all but one."""
    steps = [step for distance in range(1, k // 2 + 1) for step in (distance, -distance)]
    return first + (np.arange(users)[:, None] + np.array(steps)) % users


def planted(sizes, k, loners=0):
    """List users in one ring per group, shuffled, and loners without a list; return the lists and the groups."""
    group = np.concatenate([np.full(size, number) for number, size in enumerate(sizes)] + [np.full(loners, -1)])
    group = np.random.default_rng(8).permutation(group.astype(int))
    indices = np.full((len(group), k), -1)
    for number, size in enumerate(sizes):
        users = np.flatnonzero(group == number)
        indices[users] = users[ring(size, k)]
    return indices, group


# --- the graph ---------------------------------------------------------------------------------------------


@SEARCH
@given(indices=st.one_of(random_lists(), grouped_lists()))
def test_the_graph_counts_what_mutual_neighbours_share(indices):
    graph = shared_neighbour_graph(indices)
    assert graph.shape == (len(indices), len(indices))
    assert graph.dtype == np.float64
    np.testing.assert_array_equal(graph.toarray(), reference_graph(indices))


@pytest.mark.parametrize("users", [BLOCK_USERS - 1, BLOCK_USERS, BLOCK_USERS + 1, 3 * BLOCK_USERS + 7])
def test_the_graph_is_the_same_over_several_blocks(users):
    rng = np.random.default_rng(users)
    indices = np.array([rng.permutation(np.delete(np.arange(users), user))[:20] for user in range(users)])
    indices[rng.random(users) < 0.2, 7:] = -1
    graph = shared_neighbour_graph(indices).toarray()
    np.testing.assert_array_equal(graph, reference_graph(indices))
    np.testing.assert_array_equal(graph, graph.T)
    assert graph.any()


def test_only_those_who_list_each_other_are_joined():
    # 0 and 1 list each other, and both list 2, who lists nobody; 3 lists 0, who does not list 3.
    graph = shared_neighbour_graph(np.array([[1, 2], [0, 2], [-1, -1], [0, -1]]))
    assert graph.toarray().tolist() == [[0, 3, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


# --- the clusters ------------------------------------------------------------------------------------------


@CLUSTER_SEARCH
@given(
    indices=st.one_of(random_lists(20), grouped_lists()),
    min_samples=st.integers(2, 5),
    max_share=st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8, 1.0]),
)
def test_the_loosest_threshold_is_chosen_at_which_no_cluster_is_too_large(indices, min_samples, max_share):
    found = cluster(indices, min_samples, max_share)
    min_shared, clusters = expected_clusters(indices, min_samples, max_share)
    assert found.labels.dtype == found.linked_users.dtype == np.int64
    assert members(found.labels) == clusters
    assert largest(found.labels) / len(indices) <= max_share
    if clusters:
        assert found.min_shared == min_shared
        linked = (reference_graph(indices) >= min_shared).sum(axis=1)
        np.testing.assert_array_equal(found.linked_users, linked)
        np.testing.assert_array_equal(found.is_core, linked + 1 >= min_samples)


@CLUSTER_SEARCH
@given(indices=st.one_of(random_lists(), grouped_lists()), min_samples=st.integers(1, 5))
def test_clusters_are_those_of_dbscan_and_border_users_stay_in_their_first_cluster(indices, min_samples):
    graph = shared_neighbour_graph(indices)
    expected = reference_labels(indices, min_samples)
    for min_shared, (labels, is_core) in reference_dbscan(indices, min_samples).items():
        found = shared_neighbour_dbscan(graph, min_shared, min_samples)
        np.testing.assert_array_equal(found.is_core, is_core)
        np.testing.assert_array_equal(found.labels == NO_CLUSTER, labels == NO_CLUSTER)
        assert members(np.where(is_core, found.labels, NO_CLUSTER)) == members(np.where(is_core, labels, NO_CLUSTER))
        assert members(found.labels) == members(expected[min_shared])


@CLUSTER_SEARCH
@given(
    indices=st.one_of(random_lists(), grouped_lists()),
    min_samples=st.integers(1, 5),
    max_share=st.sampled_from([0.1, 0.3, 0.5, 1.0]),
)
def test_the_search_counts_what_dbscan_finds_at_every_eps(indices, min_samples, max_share):
    users, k = indices.shape
    search = search_eps(shared_neighbour_graph(indices), k, min_samples, max_share)
    assert search["min_shared"].tolist() == list(range(k + 1, 1, -1))
    assert search["eps"] == pytest.approx([1 - min_shared / (k + 1) for min_shared in range(k + 1, 1, -1)])
    assert set(search["min_samples"]) == {min_samples}
    runs, labels_of = reference_dbscan(indices, min_samples), reference_labels(indices, min_samples)
    for place, min_shared in enumerate(search["min_shared"].tolist()):
        labels = labels_of[min_shared]
        assert search["core_users"][place] == runs[min_shared][1].sum()
        assert search["clusters"][place] == len(members(labels))
        assert search["clustered_users"][place] == (labels >= 0).sum()
        assert search["noise_share"][place] == pytest.approx((labels < 0).mean())
        assert search["largest_cluster_share"][place] == largest(labels) / users
        assert search["is_allowed"][place] == (largest(labels) / users <= max_share)


@CLUSTER_SEARCH
@given(
    indices=st.one_of(random_lists(), grouped_lists()),
    min_samples=st.integers(1, 5),
    max_share=st.sampled_from([0.1, 0.3, 0.5, 1.0]),
)
def test_clusters_of_lists_are_those_of_dbscan_at_the_eps_of_the_search(indices, min_samples, max_share):
    graph = shared_neighbour_graph(indices)
    search = search_eps(graph, indices.shape[1], min_samples, max_share)
    chosen = search["min_shared"][search["is_chosen"]].tolist()
    expected = np.full(len(indices), NO_CLUSTER)
    if chosen:
        expected = shared_neighbour_dbscan(graph, chosen[0], min_samples).labels
    found = cluster_lists(indices, min_samples, max_share)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


@CLUSTER_SEARCH
@given(indices=st.one_of(random_lists(), grouped_lists()), min_samples=st.integers(1, 5))
def test_clusters_only_grow_and_merge_as_eps_does(indices, min_samples):
    graph = shared_neighbour_graph(indices)
    tighter = set()
    for min_shared in range(indices.shape[1] + 1, 0, -1):
        looser = members(shared_neighbour_dbscan(graph, min_shared, min_samples).labels)
        assert all(any(cluster <= other for other in looser) for cluster in tighter)
        tighter = looser


def test_every_eps_has_a_reason_why_it_was_chosen_or_not():
    # Two tight groups with one bridge: no cluster at 7 shared neighbours, then two, then one of all users.
    indices = np.vstack([ring(11, 6), ring(11, 6, first=11)])
    indices[0, 5], indices[11, 5] = 11, 0
    search = search_eps(shared_neighbour_graph(indices), 6, min_samples=3, max_share=0.5)
    reasons = dict(zip(search["min_shared"].tolist(), search["reason"].tolist(), strict=True))
    (chosen,) = search["min_shared"][search["is_chosen"]].tolist()
    assert reasons.pop(chosen) == (
        "taken: the loosest eps whose largest cluster holds at most 50% (cluster_max_share) of the users"
    )
    assert reasons.pop(7) == "too tight: nobody is near enough to enough users to be a core user"
    for min_shared, reason in reasons.items():
        assert reason == (
            "tighter than the eps taken, which puts more users into clusters"
            if min_shared > chosen
            else "too loose: the largest cluster holds 100.0% of the users, above 50% (cluster_max_share)"
        )
    assert 2 < chosen < 6


@CLUSTER_SEARCH
@given(indices=grouped_lists())
def test_clusters_are_numbered_by_falling_size_then_first_user(indices):
    labels = cluster(indices, 2, 0.5).labels
    clusters = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    assert all(len(cluster) for cluster in clusters)
    assert clusters == sorted(clusters, key=lambda cluster: (-len(cluster), cluster[0]))
    assert set(labels) <= {NO_CLUSTER, *range(len(clusters))}


def test_planted_groups_are_found_the_largest_first_and_loners_are_left_out():
    indices, group = planted([9, 25, 14], k=6, loners=5)
    found = cluster(indices, min_samples=3, max_share=0.5)
    expected = {0: 2, 1: 0, 2: 1, -1: NO_CLUSTER}
    assert found.labels.tolist() == [expected[number] for number in group]
    assert found.is_core.tolist() == (group >= 0).tolist()


def test_a_cluster_that_would_be_too_large_is_split():
    # Two tight groups with one bridge: at a loose eps they are one cluster of all users.
    indices = np.vstack([ring(11, 6), ring(11, 6, first=11)])
    indices[0, 5], indices[11, 5] = 11, 0
    loose = cluster(indices, min_samples=3, max_share=1.0)
    assert members(loose.labels) == {frozenset(range(22))}
    tight = cluster(indices, min_samples=3, max_share=0.5)
    assert tight.min_shared > loose.min_shared
    assert members(tight.labels) == {frozenset(range(11)), frozenset(range(11, 22))}


def test_sharing_the_whole_list_is_the_tightest_threshold():
    # Users next to each other in the ring share all but one; the five others list only each other.
    clique = 11 + np.array([[other for other in range(5) if other != user] for user in range(5)])
    found = cluster(np.vstack([ring(11, 4), clique]), min_samples=3, max_share=0.5)
    assert members(found.labels) == {frozenset(range(11, 16))}
    assert found.min_shared == 5


def test_if_every_threshold_gives_too_large_a_cluster_there_are_no_clusters():
    indices = np.array([[other for other in range(6) if other != user] for user in range(6)])
    found = cluster(indices, min_samples=2, max_share=0.9)
    assert found.labels.tolist() == [NO_CLUSTER] * 6
    assert found.min_shared is None
    assert not found.is_core.any()
    assert not found.linked_users.any()


def test_without_core_users_no_threshold_is_chosen():
    found = cluster(np.array([[1], [0], [-1], [-1]]), min_samples=3, max_share=0.9)
    assert found.labels.tolist() == [NO_CLUSTER] * 4
    assert found.min_shared is None


@pytest.mark.parametrize(("users", "in_cluster", "max_share"), [(10, 3, 0.3), (100, 29, 0.29), (100, 57, 0.57)])
def test_a_cluster_may_hold_exactly_the_largest_share(users, in_cluster, max_share):
    indices, group = planted([in_cluster], k=2, loners=users - in_cluster)
    found = cluster(indices, min_samples=2, max_share=max_share)
    assert members(found.labels) == {frozenset(np.flatnonzero(group == 0).tolist())}


def test_a_border_user_stays_with_the_core_user_who_was_near_first():
    # In plain DBSCAN, border users would change to another cluster as eps grows: the largest has 6, 8, 8, 7, 13, 13 and
    # 13 of the 14 users from 8 shared neighbours down to 2.
    indices = np.array(
        [
            [6, 10, 8, 2, 3, 7, 13], [3, 10, 12, 5, 4, 6, 7], [6, 0, 8, 10, 13, 7, 9], [10, 4, 12, 5, 7, 1, 6],
            [3, 10, 12, 5, 7, 1, 6], [3, 10, 4, 12, 7, 1, 13], [10, 3, 0, 2, 8, 7, 13], [3, 10, 4, 12, 5, 6, 1],
            [10, 3, 6, 0, 7, 2, 13], [10, 6, 3, 2, 8, 0, 7], [3, 4, 12, 5, 7, 6, 1], [3, 10, 4, 12, 5, 7, 6],
            [3, 10, 4, 5, 7, 1, 6], [10, 3, 6, 4, 5, 7, 12],
        ]
    )  # fmt: skip
    runs = reference_dbscan(indices, 4)
    assert [largest(runs[min_shared][0]) for min_shared in range(8, 1, -1)] == [6, 8, 8, 7, 13, 13, 13]
    graph, expected = shared_neighbour_graph(indices), reference_labels(indices, 4)
    found = {min_shared: shared_neighbour_dbscan(graph, min_shared, 4).labels for min_shared in range(8, 1, -1)}
    assert [largest(labels) for labels in found.values()] == [6, 8, 8, 8, 13, 13, 13]
    assert all(members(labels) == members(expected[min_shared]) for min_shared, labels in found.items())
    search = search_eps(graph, 7, min_samples=4, max_share=0.5)
    assert (search["largest_cluster_share"] * 14).round().tolist() == [6, 8, 8, 8, 13, 13, 13]
    assert cluster(indices, 4, 0.5).min_shared == 8


@pytest.mark.parametrize("indices", [[[1], [0], [-1]], [[-1], [-1]]])
def test_with_min_samples_of_one_every_user_is_a_core_user(indices):
    indices = np.array(indices)
    found = cluster(indices, min_samples=1, max_share=1.0)
    assert members(found.labels) == expected_clusters(indices, 1, 1.0)[1]
    assert found.is_core.all()


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (4, 2)])
def test_without_neighbours_there_are_no_clusters(shape):
    found = cluster(np.full(shape, -1), min_samples=3, max_share=0.5)
    assert found.labels.tolist() == [NO_CLUSTER] * shape[0]
    assert len(found.is_core) == len(found.linked_users) == shape[0]
    assert found.min_shared is None
    assert cluster_lists(np.full(shape, -1), 3, 0.5).tolist() == [NO_CLUSTER] * shape[0]


@pytest.mark.parametrize("max_share", [0.1, 0.5, 1.0])
def test_equal_users_are_clustered_by_the_same_rule(max_share):
    indices, _ = top_k(sparse.csr_array(np.ones((40, 3))), 5)
    found = cluster(indices, min_samples=3, max_share=max_share)
    assert members(found.labels) == expected_clusters(indices, 3, max_share)[1]


@pytest.mark.parametrize("max_share", [0.1, 0.5, 1.0])
def test_only_those_whom_all_list_are_clustered_where_all_list_the_same(max_share):
    indices = np.array([[other for other in range(6) if other != user][:5] for user in range(40)])
    found = cluster(indices, min_samples=3, max_share=max_share)
    assert members(found.labels) == expected_clusters(indices, 3, max_share)[1]
    assert members(found.labels) == ({frozenset(range(6))} if max_share > 0.1 else set())


def test_the_same_lists_give_the_same_clusters():
    indices, _ = planted([30, 30, 30], k=8, loners=10)
    first, again = (cluster(indices, 4, 0.4) for _ in range(2))
    np.testing.assert_array_equal(first.labels, again.labels)


@pytest.mark.parametrize(
    ("min_samples", "max_share", "message"),
    [
        (0, 0.5, "min_samples must be at least 1, not 0"),
        (3, 0, "max_share must be above 0 and at most 1, not 0"),
        (3, -0.1, "max_share"),
        (3, 1.01, "max_share"),
        (3, float("nan"), "max_share"),
    ],
)
def test_wrong_settings_are_refused(min_samples, max_share, message):
    with pytest.raises(ValueError, match=message):
        cluster(np.array([[1], [0]]), min_samples, max_share)


# --- the table of the graph ---------------------------------------------------------------------------------


@SEARCH
@given(indices=st.one_of(random_lists(), grouped_lists()))
def test_the_graph_is_read_back_from_its_table(indices):
    users = np.arange(len(indices)) * 3 + 1
    table = in_parts(shared_neighbours(indices, users)).read_all()
    # The order of the rows does not matter.
    shuffled = table.take(np.random.default_rng(3).permutation(len(users)))
    graph = read_graph(duckdb.from_arrow(shuffled), users)
    np.testing.assert_array_equal(graph.toarray(), reference_graph(indices))
    assert table.column("user_number").to_pylist() == users.tolist()
    assert min(table.column("shared_neighbours").combine_chunks().flatten().to_pylist(), default=2) >= 2


# --- the nearest cluster -----------------------------------------------------------------------------------


def reference_vote(labels, user, voters):
    """Count with plain lists and sets."""
    listed = [other for other in voters if other >= 0]
    votes = [int(labels[other]) for other in listed if labels[other] >= 0]
    cluster = int(labels[user])
    if cluster < 0:
        cluster = min(set(votes), key=lambda vote: (-votes.count(vote), vote), default=NO_CLUSTER)
    return cluster, votes.count(cluster) / len(listed) if listed else 0


@SEARCH
@given(indices=random_lists(), clusters=st.integers(0, 4), seed=st.integers(0, 2**32))
def test_the_nearest_cluster_is_that_of_most_of_the_nearest_users(indices, clusters, seed):
    labels = np.random.default_rng(seed).integers(NO_CLUSTER, clusters, len(indices))
    nearest, shares = nearest_clusters(labels, indices)
    assert nearest.dtype == np.int64
    expected = [reference_vote(labels, user, voters) for user, voters in enumerate(indices)]
    assert list(zip(nearest.tolist(), shares.tolist(), strict=True)) == expected


def test_of_equal_votes_the_larger_cluster_wins_and_users_in_none_count_among_the_voters():
    labels = np.array([0, 0, 1, 1, 2, -1, -1, -1])
    voters = np.array([[1, 5], [0, -1], [0, 1], [2, 4], [5, 6], [3, 0], [3, 7], [6, -1]])
    nearest, shares = nearest_clusters(labels, voters)
    # User 2 is in cluster 1, whatever the voters say; no voter of user 7 is in a cluster.
    assert nearest.tolist() == [0, 0, 1, 1, 2, 0, 1, -1]
    assert shares.tolist() == [0.5, 1, 0, 0.5, 0, 0.5, 0.5, 0]


# --- the settings for few users ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (10, (1, 3)),  # 5% is less than one user
        (200, (10, 3)),  # a tenth of the neighbours is less than three
        (1_000, (50, 5)),
        (2_000, (100, 10)),
        (10_000, (100, 10)),
        (1_000_000, (100, 10)),
    ],
)
def test_settings_are_scaled_down_for_few_users_only(users, expected):
    assert neighbours_to_compare(users, 100, 10) == expected


def test_settings_are_never_scaled_up():
    assert neighbours_to_compare(1_000_000, 7, 2) == (7, 2)
    assert neighbours_to_compare(0, 100, 10) == (1, 3)
