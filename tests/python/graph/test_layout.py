"""The layout of a graph in two dimensions."""

import numpy as np
import pytest
from positions import distances, share_of_nearest_in_group
from scipy import sparse
from threadpoolctl import threadpool_limits

from kindred.graph.layout import _Grid, two_dimensions


def grouped_graph(nodes=300, groups=6, within=0.3, between=0.005, seed=4):
    """Link most nodes within a group and few between groups; each node is linked to the next of its group."""
    rng = np.random.default_rng(seed)
    group = np.arange(nodes) % groups
    is_same = group[:, None] == group
    joined = np.triu(rng.random((nodes, nodes)) < np.where(is_same, within, between), 1)
    joined[np.arange(nodes - groups), np.arange(groups, nodes)] = True
    weights = rng.uniform(0.5, 1.5, joined.shape) * joined
    return sparse.csr_array(weights + weights.T), group


def joined(*pairs, nodes):
    one, other = zip(*pairs, strict=True)
    upper = sparse.csr_array((np.ones(len(pairs)), (one, other)), shape=(nodes, nodes))
    return sparse.csr_array(upper + upper.T)


def test_groups_are_apart():
    graph, group = grouped_graph()
    positions = two_dimensions(graph)
    assert share_of_nearest_in_group(positions, group) > 0.97
    apart = distances(positions)
    is_same = group[:, None] == group
    assert apart[is_same].mean() < 0.4 * apart[~is_same].mean()


def test_groups_without_ties_between_them_are_apart_and_within_the_frame():
    graph, group = grouped_graph(between=0)
    positions = two_dimensions(graph)
    assert share_of_nearest_in_group(positions, group) == 1
    assert np.abs(positions).max() < 4


def test_an_isolated_pair_does_not_squeeze_the_others():
    graph, _ = grouped_graph()
    graph = sparse.csr_array(sparse.block_diag([graph, joined((0, 1), nodes=2)]))
    positions = two_dimensions(graph)
    others = np.ptp(positions[:-2], axis=0)
    assert (np.ptp(positions, axis=0) < 1.5 * others).all()


def test_the_middle_of_a_chain_lies_between_its_ends():
    positions = two_dimensions(joined(*((node, node + 1) for node in range(8)), nodes=9))
    apart = distances(positions)
    assert np.argmax(apart[0]) == 8
    assert (np.diff(apart[0]) > 0).all()
    np.testing.assert_allclose(apart[4, :4], apart[4, :4:-1], atol=0.02)


def test_positions_are_centred_and_of_size_one():
    positions = two_dimensions(grouped_graph()[0])
    np.testing.assert_allclose(positions.mean(axis=0), 0, atol=1e-12)
    assert (positions**2).sum(axis=1).mean() == pytest.approx(1)


def test_the_same_graph_gives_the_same_bits_with_any_number_of_threads():
    graph, _ = grouped_graph()
    before = graph.copy()
    first = two_dimensions(graph)
    for threads in (1, 2):
        with threadpool_limits(threads):
            np.testing.assert_array_equal(two_dimensions(graph), first)
    np.testing.assert_array_equal(graph.toarray(), before.toarray())


def test_positions_follow_their_nodes_in_any_order():
    graph, _ = grouped_graph()
    order = np.random.default_rng(0).permutation(graph.shape[0])
    np.testing.assert_allclose(two_dimensions(graph[order][:, order]), two_dimensions(graph)[order], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_only_the_proportions_of_weights_matter(scale):
    graph, _ = grouped_graph()
    np.testing.assert_allclose(two_dimensions(graph * scale), two_dimensions(graph), atol=1e-6)


@pytest.mark.parametrize("nodes", [0, 1])
def test_without_edges_there_is_nothing_to_lay_out(nodes):
    assert two_dimensions(sparse.csr_array((nodes, nodes))).tolist() == [[0, 0]] * nodes


@pytest.mark.parametrize("nodes", [2, 3, 4, 5, 60, 200])
def test_graphs_without_any_structure_are_finite(nodes):
    complete = sparse.csr_array(np.ones((nodes, nodes)) - np.eye(nodes))
    positions = two_dimensions(complete)
    assert positions.shape == (nodes, 2)
    assert np.isfinite(positions).all()


@pytest.mark.parametrize("apart", [3.0, 7.5, 40.0])
def test_two_nodes_repel_each_other_by_the_kernel(apart):
    push_x, push_y = _Grid().repulsion(np.array([0.0, apart]), np.array([1.0, 1.0]))
    expected = apart / (1 + apart**2) ** 2
    np.testing.assert_allclose(push_x, [-expected, expected], rtol=0.1)
    np.testing.assert_allclose(push_y, 0, atol=1e-12)


def test_repulsion_sums_to_zero_and_points_outwards():
    x, y = np.random.default_rng(1).normal(scale=5, size=(2, 400))
    push_x, push_y = _Grid().repulsion(x, y)
    offset_x, offset_y = x[:, None] - x, y[:, None] - y
    near = 1 / (1 + offset_x**2 + offset_y**2)
    expected = (near**2 * offset_x).sum(axis=1) / (near.sum() - len(x))
    assert push_x.sum() == pytest.approx(0, abs=1e-9)
    assert np.corrcoef(push_x, expected)[0, 1] > 0.98
    assert (push_x * x + push_y * y).sum() > 0
