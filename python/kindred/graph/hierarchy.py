"""The clusters of every eps, as a tree of links between users."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

NO_CLUSTER = -1


def owners_of(graph: sparse.csr_array) -> np.ndarray:
    """Return the row of every stored entry."""
    return np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))


def core_levels(graph: sparse.csr_array, min_samples: int) -> np.ndarray:
    """Return for every user the largest min_shared at which they are a core user; 0 if there is none."""
    if min_samples < 1:
        raise ValueError(f"min_samples must be at least 1, not {min_samples}")
    base = int(graph.data.max(initial=0)) + 1
    if min_samples == 1:
        return np.full(graph.shape[0], np.iinfo(np.int64).max)
    # Sorted within each row: the (min_samples - 1)-th largest is the level, as the user counts as one of the samples.
    keys = np.sort(owners_of(graph) * base + graph.data.astype(np.int64))
    place = graph.indptr[1:] - (min_samples - 1)
    has_enough = place >= graph.indptr[:-1]
    levels = np.zeros(graph.shape[0], dtype=np.int64)
    levels[has_enough] = keys[place[has_enough]] % base
    return levels


def border_links(graph: sparse.csr_array, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return users who are border users at some eps, the core user whom they join, and the largest min_shared for that.

    If there are several core users, it is the one at the tightest eps, then the one who shares most, then the first.
    """
    owners = owners_of(graph)
    reached = np.minimum(graph.data.astype(np.int64), levels[graph.indices])
    entries = np.flatnonzero(reached > levels[owners])
    order = np.lexsort((graph.indices[entries], -graph.data[entries], -reached[entries], owners[entries]))
    border, first = np.unique(owners[entries[order]], return_index=True)
    best = entries[order[first]]
    return border, graph.indices[best], reached[best]


def cluster_links(graph: sparse.csr_array, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the links that form the clusters of every eps: two users, and the largest min_shared that links them.

    A border user has only the link to one core user. At a looser eps, where they are a core user themselves, their
    other links put them into the same cluster, so this link does no harm.
    """
    owners = owners_of(graph)
    link_levels = np.minimum(graph.data.astype(np.int64), np.minimum(levels[owners], levels[graph.indices]))
    kept = (link_levels > 0) & (owners < graph.indices)
    tightest = int(link_levels.max(initial=0)) + 1
    # A maximum tree of levels is a minimum tree of tightest - level, which is above 0: a stored 0 would be no link.
    weights = sparse.csr_array((tightest - link_levels[kept], (owners[kept], graph.indices[kept])), shape=graph.shape)
    tree = minimum_spanning_tree(weights).tocoo()
    border, through, border_levels = border_links(graph, levels)
    return (
        np.concatenate([tree.row, border]),
        np.concatenate([tree.col, through]),
        np.concatenate([tightest - tree.data.astype(np.int64), border_levels]),
    )


def labels_of_links(
    links: tuple[np.ndarray, np.ndarray, np.ndarray], levels: np.ndarray, min_shared: int
) -> np.ndarray:
    """Return the clusters of an eps from the links of `cluster_links`, in any order; -1 for no cluster."""
    one, other, link_levels = links
    kept = link_levels >= min_shared
    joined = sparse.coo_array((np.ones(kept.sum()), (one[kept], other[kept])), shape=(len(levels), len(levels)))
    count, component = connected_components(joined, directed=False)
    has_core = np.bincount(component[levels >= min_shared], minlength=count) > 0
    return np.where(has_core[component], component, NO_CLUSTER).astype(np.int64)


def by_size(labels: np.ndarray) -> np.ndarray:
    """Renumber clusters by falling size, then by their first user, so that ids do not depend on the search."""
    clustered = labels[labels >= 0]
    if not len(clustered):
        return labels
    sizes = np.bincount(clustered)
    first = np.full(len(sizes), len(labels))
    np.minimum.at(first, clustered, np.flatnonzero(labels >= 0))
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return np.where(labels >= 0, rank[labels], NO_CLUSTER)
