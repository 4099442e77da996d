"""Two dimensions for the nodes of a graph: near where joined, apart where not."""

from __future__ import annotations

import numpy as np
from scipy import fft, sparse
from scipy.linalg import eigh
from scipy.sparse.linalg import eigsh
from threadpoolctl import threadpool_limits

DIMENSIONS = 2

STAGES = ((60, 4.0), (120, 1.0))
"""Steps and attraction of each stage: pulled together at first so that groups can pass each other, then let loose."""

MOMENTUM = 0.8

MAX_STEP = 2.0
"""No node goes farther in a step; the unit is the distance at which repulsion falls to a half."""

INITIAL_SPREAD = 3.0
"""The standard deviation along each axis at the beginning."""

MAX_RADIUS = 1.25
"""How far out a node may lie, in distances from the centre that nine in ten keep."""

CELL = 0.5
"""The width of a cell of the grid on which nodes repel each other."""

SIDE_MULTIPLE = 16
"""The grid grows by so many cells, so that its kernels are seldom made anew."""

BLOCK_NODES = 512
"""Nodes whose edges are worked on at a time: so many stay in the processor's cache, which is four times as fast."""

MAX_DENSE_NODES = 50
"""A graph of at most so many nodes is solved as a dense one, as the sparse solver needs more nodes than directions."""


def two_dimensions(graph: sparse.csr_array) -> np.ndarray:
    """Lay out a graph: t-SNE from a spectral beginning, by full steps and without chance.

    Joined nodes attract each other and all repel all, as in t-SNE (van der Maaten, Hinton 2008), with more attraction
    at first. Repulsion is a convolution on a grid (Linderman et al. 2019: Fast interpolation-based t-SNE), so that a
    step is linear in nodes and edges. A step is divided by the node's own attraction, which brings hubs to rest.

    Parameters
    ----------
    graph
        CSR array of shape (nodes, nodes), symmetric, non-negative, nothing on the diagonal; every node has an edge.

    Returns
    -------
    float64 array of shape (nodes, 2): centred, with a mean square distance of 1 from the centre. x begins as the
    strongest division of the graph and y as the next. The same graph gives the same bits; another order of the nodes
    the same positions up to rounding, but where the strongest divisions are equally strong.

    """
    if not graph.nnz:
        return np.zeros((graph.shape[0], DIMENSIONS))
    graph = sparse.csr_array(graph / graph.sum())
    # Threads of the library wait for each other in a loop, which costs more than they save (as in relate_courses).
    with threadpool_limits(1, user_api="blas"):
        positions = _run_stages(graph, INITIAL_SPREAD * _standardised(spectral_divisions(graph)))
    positions = _with_limited_radius(positions)
    size = np.sqrt((positions**2).sum(axis=1).mean())
    return positions / (size or 1.0)


def spectral_divisions(graph: sparse.csr_array) -> np.ndarray:
    """Return the two strongest divisions of a graph, float64 of shape (nodes, 2), zeros where there are not so many.

    Eigenvectors of the normalised adjacency after the first. A mean degree more for everybody (Qin, Rohe 2013:
    Regularized spectral clustering) keeps a handful of users apart from the rest from being a division of its own.
    """
    nodes = graph.shape[0]
    degrees = graph.sum(axis=1)
    scale = sparse.diags_array(1 / np.sqrt(degrees + degrees.mean()))
    normalised = sparse.csr_array(scale @ graph @ scale)
    if nodes <= MAX_DENSE_NODES:
        values, vectors = eigh(normalised.toarray())
    else:
        start = np.random.default_rng(0).standard_normal(nodes)
        values, vectors = eigsh(normalised, DIMENSIONS + 1, which="LA", v0=start)
    strongest = np.argsort(-values)[1 : DIMENSIONS + 1]
    divisions = np.zeros((nodes, DIMENSIONS))
    divisions[:, : len(strongest)] = scale @ vectors[:, strongest]
    # A sign that does not hang on a single node: the longer tail is on the positive side.
    divisions -= divisions.mean(axis=0)
    return divisions * np.where((divisions**3).sum(axis=0) < 0, -1, 1)


def _standardised(positions: np.ndarray) -> np.ndarray:
    """Give each axis a mean of 0 and a standard deviation of 1, but where all is rounding."""
    spread = positions.std(axis=0)
    return np.divide(positions - positions.mean(axis=0), spread, out=np.zeros_like(positions), where=spread > 1e-9)


def _run_stages(graph: sparse.csr_array, start: np.ndarray) -> np.ndarray:
    """Return positions after all steps; the graph's weights add up to 1."""
    x, y = start.T.copy()
    speed_x, speed_y = np.zeros_like(x), np.zeros_like(x)
    grid = _Grid()
    for steps, attraction in STAGES:
        rate = 1 / (attraction * graph.sum(axis=1))
        for _ in range(steps):
            pull_x, pull_y = _attraction(graph, x, y)
            push_x, push_y = grid.repulsion(x, y)
            speed_x = MOMENTUM * speed_x + rate * (push_x - attraction * pull_x)
            speed_y = MOMENTUM * speed_y + rate * (push_y - attraction * pull_y)
            too_fast = np.maximum(1, np.hypot(speed_x, speed_y) / MAX_STEP)
            speed_x, speed_y = speed_x / too_fast, speed_y / too_fast
            x, y = x + speed_x, y + speed_y
            x, y = x - x.mean(), y - y.mean()
    return np.stack([x, y], axis=1)


def _with_limited_radius(positions: np.ndarray) -> np.ndarray:
    """Bring to the edge who is far out, as a few nodes tied to nobody else drift away: they would rule the scale."""
    distances = np.hypot(*positions.T)
    limit = MAX_RADIUS * np.quantile(distances, 0.9)
    framed = positions / np.maximum(1, distances / max(limit, 1e-9))[:, None]
    return framed - framed.mean(axis=0)


def _attraction(graph: sparse.csr_array, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pull on every node along x and y: the sum over its edges of weight times q times the offset."""
    pull_x, pull_y = np.empty_like(x), np.empty_like(y)
    for start in range(0, len(x), BLOCK_NODES):
        nodes = slice(start, start + BLOCK_NODES)
        starts = graph.indptr[start : start + BLOCK_NODES + 1]
        counts, edges = np.diff(starts), slice(starts[0], starts[-1])
        others = graph.indices[edges]
        offset_x, offset_y = np.repeat(x[nodes], counts) - x[others], np.repeat(y[nodes], counts) - y[others]
        weights = graph.data[edges] / (1 + offset_x**2 + offset_y**2)
        pull_x[nodes] = np.add.reduceat(weights * offset_x, starts[:-1] - starts[0])
        pull_y[nodes] = np.add.reduceat(weights * offset_y, starts[:-1] - starts[0])
    return pull_x, pull_y


class _Grid:
    """Repulsion of all nodes by all others: nodes become masses of cells, whose forces are a convolution."""

    def __init__(self):
        self.side = 0

    def repulsion(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the push on every node along x and y.

        It is the sum over the other nodes of q squared times the offset, divided by the sum of q over all pairs. q is
        1 / (1 + squared distance), the kernel of t-SNE.
        """
        extent = max(np.ptp(x), np.ptp(y)) / CELL
        self._make_kernels(SIDE_MULTIPLE * (int(extent + 4) // SIDE_MULTIPLE + 1))
        side, shape = self.side, (2 * self.side, 2 * self.side)
        (column, share_x), (row, share_y) = _cell_shares(x), _cell_shares(y)
        places = [(i, j) for i in range(3) for j in range(3)]
        cells = np.concatenate([(column + i) * side + row + j for i, j in places])
        shares = np.concatenate([share_x[i] * share_y[j] for i, j in places])
        masses = fft.rfft2(np.bincount(cells, shares, side * side).reshape(side, side), shape)
        near, push_x, push_y = (
            (fft.irfft2(masses * kernel, shape)[:side, :side].ravel()[cells] * shares).reshape(9, -1).sum(axis=0)
            for kernel in self.kernels
        )
        # Every node is near itself, which does not count; a few nodes would otherwise fly apart for ever.
        total = max(near.sum() - len(x), len(x) / 2)
        return push_x / total, push_y / total

    def _make_kernels(self, side: int) -> None:
        if side != self.side:
            self.side = side
            offset = CELL * np.concatenate([np.arange(side), np.arange(-side, 0)])
            near = 1 / (1 + offset[:, None] ** 2 + offset**2)
            self.kernels = [fft.rfft2(kernel) for kernel in (near, near**2 * offset[:, None], near**2 * offset)]


def _cell_shares(positions: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the first of three cells that each position falls into, and its shares of them (quadratic splines)."""
    places = (positions - positions.min()) / CELL + 1
    middle = np.rint(places)
    off = places - middle
    return middle.astype(np.int64) - 1, [0.5 * (0.5 - off) ** 2, 0.75 - off**2, 0.5 * (0.5 + off) ** 2]
