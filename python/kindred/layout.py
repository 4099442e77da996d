"""A map of users in two dimensions."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

DIMENSIONS = 2


def two_dimensions(profiles: sparse.csr_array) -> np.ndarray:
    """Project profiles on their two strongest directions after the mean (truncated SVD).

    Parameters
    ----------
    profiles
        Users x features, CSR, non-negative.

    Returns
    -------
    float64 array of shape (users, 2). The same profiles give the same positions: the search starts from a fixed
    vector and each direction points where its largest loading is positive. Zeros where there are too few users or
    features for two directions.

    """
    users, features = profiles.shape
    if min(users, features) <= DIMENSIONS + 1 or profiles.nnz == 0:
        return np.zeros((users, DIMENSIONS))
    # The first direction of uncentred profiles is the mean profile: how active someone is, not what they are like.
    start = np.full(min(users, features), 1.0)
    left, values, right = svds(profiles, k=DIMENSIONS + 1, v0=start)
    order = np.argsort(-values)[1:]
    signs = np.sign(right[order, np.abs(right[order]).argmax(axis=1)])
    return left[:, order] * values[order] * signs
