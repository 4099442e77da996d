"""Random draws of counts and of weighted items, and helpers for arrays that hold groups."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class CountCurve:
    """A distribution of counts from 1, given by quantiles; between them it is linear in the logarithm."""

    def __init__(self, *quantiles: tuple[float, int]):
        shares, counts = zip(*quantiles, strict=True)
        up_to = np.interp(np.log(np.arange(2, counts[-1] + 1)), np.log(counts), shares)
        # Rounded, because the last bit of a logarithm differs between machines and must not change a draw.
        self._cumulative = np.round(up_to, 9)

    def draw(self, rng: np.random.Generator, size: int) -> npt.NDArray[np.int64]:
        """Return `size` counts (int64)."""
        return np.searchsorted(self._cumulative, rng.random(size), side="right") + 1


class WeightedGroups:
    """Items in groups, drawn from a group with chances proportional to their weights."""

    def __init__(
        self,
        groups: npt.NDArray[np.int64],
        items: npt.NDArray[np.int64],
        weights: npt.NDArray[np.float64],
        group_count: int,
    ):
        order = np.argsort(groups, kind="stable")
        self._items = items[order]
        self._bounds = np.searchsorted(groups[order], np.arange(group_count + 1))
        self._cumulative = np.concatenate([[0.0], np.cumsum(weights[order])])

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return the number of items in each group."""
        return np.diff(self._bounds)

    def draw(self, rng: np.random.Generator, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return one item for each entry of `groups`, none of which may be an empty group."""
        low, high = self._cumulative[self._bounds[groups]], self._cumulative[self._bounds[groups + 1]]
        position = np.searchsorted(self._cumulative, low + rng.random(len(groups)) * (high - low), "right") - 1
        drawn: npt.NDArray[np.int64] = self._items[np.minimum(position, self._bounds[groups + 1] - 1)]
        return drawn


def first_distinct(
    owners: npt.NDArray[np.int64], items: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Keep the first `wanted[owner]` distinct items of each owner; `owners` is sorted."""
    _, first = np.unique(owners * (items.max(initial=0) + 1) + items, return_index=True)
    first.sort()
    owners, items = owners[first], items[first]
    rank = np.arange(len(owners)) - np.searchsorted(owners, owners)
    keep = rank < wanted[owners]
    return owners[keep], items[keep]


def positions_within(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return 0, 1, ... counts[0]-1, 0, 1, ... counts[1]-1, and so on."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def rank_within(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of earlier entries in the same group, for each entry."""
    order = np.argsort(groups, kind="stable")
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order])
    return rank
