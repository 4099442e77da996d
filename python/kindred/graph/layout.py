"""The layout of a graph in two dimensions: linked nodes lie near each other, others apart."""

from __future__ import annotations

import numpy as np
from scipy import fft, sparse
from scipy.linalg import eigh
from scipy.sparse.linalg import eigsh
from threadpoolctl import threadpool_limits

DIMENSIONS = 2

STAGES = ((60, 4.0), (120, 1.0))
"""Steps and attraction of each stage. Strong attraction at first lets groups pass each other."""

MOMENTUM = 0.8
"""The share of its speed that a node keeps from step to step."""

MAX_STEP = 2.0
"""The largest step of a node; the unit is the distance at which the kernel falls to a half."""

INITIAL_SPREAD = 3.0
"""The standard deviation along each axis at the start."""

MAX_RADIUS = 1.25
"""How far from the centre a node may lie, as a multiple of the distance within which nine in ten nodes lie."""

CELL = 0.5
"""The width of a cell of the grid on which repulsion is computed."""

SIDE_MULTIPLE = 16
"""The side of the grid is a multiple of this many cells, so that its kernels are rarely recomputed."""

BLOCK_NODES = 512
"""The edges of this many nodes are processed at a time: they fit into the processor's cache, four times as fast."""

MAX_DENSE_NODES = 50
"""Smaller graphs use the dense solver, as the sparse one needs more nodes than directions."""


def two_dimensions(graph: sparse.csr_array) -> np.ndarray:
    """Lay out a graph by t-SNE with a spectral start, without random numbers.

    Linked nodes attract each other and all nodes repel each other, as in t-SNE (van der Maaten, Hinton 2008), with more
    attraction at first. Repulsion is a convolution on a grid (Linderman et al. 2019: Fast interpolation-based t-SNE),
    so a step is linear in nodes and edges. Each node's step is divided by its total attraction, which keeps hubs
    stable.

    Parameters
    ----------
    graph
        CSR array of shape (nodes, nodes), symmetric, non-negative, with an empty diagonal; every node has an edge.

    Returns
    -------
    float64 array of shape (nodes, 2): centred, with a mean square distance of 1 from the centre. x starts as the
    strongest division of the graph and y as the next. The same graph gives the same bits. Another order of the nodes
    gives the same positions up to rounding, unless the strongest divisions are equally strong.

    """
    if not graph.nnz:
        return np.zeros((graph.shape[0], DIMENSIONS))
    graph = sparse.csr_array(graph / graph.sum())
    # BLAS threads wait for each other in a busy loop, which costs more than they save (as in relate_courses).
    with threadpool_limits(1, user_api="blas"):
        positions = _run_stages(graph, INITIAL_SPREAD * _standardised(spectral_divisions(graph)))
    positions = _with_limited_radius(positions)
    size = np.sqrt((positions**2).sum(axis=1).mean())
    return positions / (size or 1.0)


def spectral_divisions(graph: sparse.csr_array) -> np.ndarray:
    """Return the two strongest divisions of a graph, float64 of shape (nodes, 2); missing ones are 0.

    They are eigenvectors of the normalised adjacency matrix, without the first. Adding the mean degree to every degree
    (Qin, Rohe 2013: Regularized spectral clustering) keeps a few isolated nodes from being a division of their own.
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
    # The longer tail is on the positive side, so the sign does not depend on a single node.
    divisions -= divisions.mean(axis=0)
    return divisions * np.where((divisions**3).sum(axis=0) < 0, -1, 1)


def _standardised(positions: np.ndarray) -> np.ndarray:
    """Give each axis a mean of 0 and a standard deviation of 1; an axis that varies by rounding alone becomes 0."""
    spread = positions.std(axis=0)
    scaled = np.zeros_like(positions)
    np.divide(positions - positions.mean(axis=0), spread, out=scaled, where=spread > 1e-9)
    return scaled


def _run_stages(graph: sparse.csr_array, start: np.ndarray) -> np.ndarray:
    """Return the positions after all steps; the weights of the graph sum to 1."""
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
    """Move outliers in to the largest radius: a few nodes that drift away would set the scale for all."""
    distances = np.hypot(*positions.T)
    limit = MAX_RADIUS * np.quantile(distances, 0.9)
    limited: np.ndarray = positions / np.maximum(1, distances / max(limit, 1e-9))[:, None]
    limited -= limited.mean(axis=0)
    return limited


def _attraction(graph: sparse.csr_array, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pull on every node along x and y: the sum of weight times q times the offset over its edges."""
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
    """The repulsion between all nodes: they become masses of grid cells, whose forces are a convolution."""

    def __init__(self) -> None:
        self.side = 0
        self.kernels: list[np.ndarray] = []

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
        # A node is near itself, which does not count. The lower limit keeps a few nodes from flying apart for ever.
        total = max(near.sum() - len(x), len(x) / 2)
        return push_x / total, push_y / total

    def _make_kernels(self, side: int) -> None:
        if side != self.side:
            self.side = side
            offset = CELL * np.concatenate([np.arange(side), np.arange(-side, 0)])
            near = 1 / (1 + offset[:, None] ** 2 + offset**2)
            self.kernels = [fft.rfft2(kernel) for kernel in (near, near**2 * offset[:, None], near**2 * offset)]


def _cell_shares(positions: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the first of the three cells that share each position, and the share of each (quadratic splines)."""
    places = (positions - positions.min()) / CELL + 1
    middle = np.rint(places)
    offset = places - middle
    return middle.astype(np.int64) - 1, [0.5 * (0.5 - offset) ** 2, 0.75 - offset**2, 0.5 * (0.5 + offset) ** 2]
