"""A map of users in two dimensions."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

DIMENSIONS = 2

ITERATIONS = 20
"""Power iterations: enough for the directions to settle also where they are nearly as strong as others."""


def two_dimensions(profiles: sparse.csr_array) -> np.ndarray:
    """Project profiles on their two strongest directions after the mean.

    By scikit-learn's randomised SVD (Halko, Martinsson, Tropp 2009: Finding structure with randomness).

    Parameters
    ----------
    profiles
        Users x features, CSR, non-negative.

    Returns
    -------
    float64 array of shape (users, 2); the same profiles give the same positions. Zeros where there are too few users
    or features for two directions.

    """
    users, features = profiles.shape
    if min(users, features) <= DIMENSIONS + 1 or profiles.nnz == 0:
        return np.zeros((users, DIMENSIONS))
    # The first direction of uncentred profiles is the mean profile: how active someone is, not what they are like.
    # Threads of the library wait for each other in a loop, which costs more than they save (as in relate_courses).
    with threadpool_limits(1, user_api="blas"):
        left, values, _ = randomized_svd(profiles, DIMENSIONS + 1, n_iter=ITERATIONS, random_state=0)
    return (left * values)[:, 1:]
