"""What tests ask of positions in two dimensions: an array of shape (nodes, 2)."""

import numpy as np


def distances(positions):
    return np.linalg.norm(positions[:, None] - positions, axis=2)


def share_of_nearest_in_group(positions, group, nearest=10):
    near = np.argsort(distances(positions) + np.diag(np.full(len(group), np.inf)), axis=1)[:, :nearest]
    return (group[near] == group[:, None]).mean()
