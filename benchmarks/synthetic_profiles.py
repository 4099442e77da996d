"""Synthetic user profiles with the shape of the full-size data, for any number of users.

They contain none of the data, only its proportions. Users prefer a few topics, a seventh of their events is off topic,
and few features are popular. With the chosen parameters, 10,000 users resemble full-size profiles (one-hot features and
course tags) in three ways: 66 features per user, unevenly spread; the density of the most popular columns, and so the
products per pair of users; and the similarity of the twentieth neighbour.
"""

import numpy as np
from scipy import sparse

FEATURES = 9157
TOPICS = 200
TOPICS_OF_USER = np.array([0.6, 0.3, 0.1])
"""The shares of a user's on-topic events for the first, second and third topic."""

OFF_TOPIC = 0.15
EVENTS_MEDIAN, EVENTS_SIGMA, EVENTS_LIMIT = 117, 1.3, 3000
"""The number of events of a user, log-normal; repeated events are one feature with more weight."""

POPULARITY_HEAD, POPULARITY_FALL = 15, 1.2
"""The popularity of the feature of rank r, from 0, is (r + head) to the power of -fall."""

CHUNK_USERS = 10_000
"""This many users come from one random state, so a large draw begins with the users of a small one."""


def synthetic_profiles(users: int, seed: int = 1, features: int = FEATURES) -> sparse.csr_array:
    """Draw profiles.

    Parameters
    ----------
    users, features
        The shape, each at least 1.
    seed
        The same seed gives the same profiles. The first users get the same features for any number of users; only
        their weights depend on the number, through rarity.

    Returns
    -------
    users x features, CSR in canonical form, float32 with int32 indices, rows of length 1. Weights are (1 + ln
    occurrences) x ln(1 + users / users with the feature). Every user has a feature.

    """
    popularity = (np.arange(features) + POPULARITY_HEAD) ** -POPULARITY_FALL
    rng = np.random.default_rng([seed, 0])
    # Features are sorted by topic, so a topic is an interval of the cumulative popularity.
    cumulative = np.concatenate([[0.0], np.cumsum(rng.permutation(popularity))])
    topics = np.sort(rng.integers(0, TOPICS, features))
    lengths, columns, occurrences = [], [], []
    for chunk, start in enumerate(range(0, users, CHUNK_USERS), start=1):
        drawn = _draw_chunk(np.random.default_rng([seed, chunk]), cumulative, topics)
        kept = drawn[: min(CHUNK_USERS, users - start)]
        lengths.append(np.diff(kept.indptr))
        columns.append(kept.indices.astype(np.int32))
        occurrences.append(kept.data)
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    indices, weights = np.concatenate(columns), np.concatenate(occurrences)
    # A million users have 66 million weights: free the parts, and compute weights in place.
    del columns, occurrences
    rarity = np.log1p(users / np.maximum(np.bincount(indices, minlength=features), 1)).astype(np.float32)
    np.log(weights, out=weights)
    weights += 1
    weights *= rarity[indices]
    norms = np.sqrt(np.add.reduceat(weights * weights, indptr[:-1], dtype=np.float64))
    weights /= np.repeat(norms.astype(np.float32), np.diff(indptr))
    return sparse.csr_array((weights, indices, indptr.astype(np.int32)), shape=(users, features))


def _draw_chunk(rng: np.random.Generator, cumulative: np.ndarray, topics: np.ndarray) -> sparse.csr_array:
    """Draw the events of CHUNK_USERS: users x features, float32 occurrences; topics is sorted, one per feature."""
    features = len(topics)
    starts = cumulative[np.searchsorted(topics, np.arange(TOPICS), side="left")]
    ends = cumulative[np.searchsorted(topics, np.arange(TOPICS), side="right")]

    def features_at(places: np.ndarray) -> np.ndarray:
        return np.minimum(np.searchsorted(cumulative, places, side="right") - 1, features - 1)

    events = np.clip(rng.lognormal(np.log(EVENTS_MEDIAN), EVENTS_SIGMA, CHUNK_USERS), 1, EVENTS_LIMIT).astype(np.int64)
    users = np.repeat(np.arange(CHUNK_USERS), events)
    liked = topics[features_at(rng.random((CHUNK_USERS, len(TOPICS_OF_USER))) * cumulative[-1])]
    topic = liked[users, np.searchsorted(np.cumsum(TOPICS_OF_USER)[:-1], rng.random(len(users)))]
    is_off_topic = rng.random(len(users)) < OFF_TOPIC
    low = np.where(is_off_topic, 0.0, starts[topic])
    high = np.where(is_off_topic, cumulative[-1], ends[topic])
    keys = users * features + features_at(low + rng.random(len(users)) * (high - low))
    pairs, occurrences = np.unique(keys, return_counts=True)
    rows, columns = np.divmod(pairs, features)
    indptr = np.searchsorted(rows, np.arange(CHUNK_USERS + 1))
    return sparse.csr_array((occurrences.astype(np.float32), columns, indptr), shape=(CHUNK_USERS, features))
