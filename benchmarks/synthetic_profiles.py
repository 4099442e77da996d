"""Synthetic user profiles of the shape of the full-size data, for any number of users.

None of the data is in them, only its proportions. Users prefer a few topics, a seventh of what they do is off topic,
and few features are popular. The parameters were chosen so that 10,000 users have about what full-size profiles
(one-hot, and tags of courses) have: 66 features a user, unevenly; the density of the hottest columns, hence products
per pair of users; how similar the twentieth nearest is.
"""

import numpy as np
from scipy import sparse

FEATURES = 9157
TOPICS = 200
TOPICS_OF_USER = np.array([0.6, 0.3, 0.1])
"""How much of what a user does on topic goes to the first, second and third topic."""

OFF_TOPIC = 0.15
EVENTS_MEDIAN, EVENTS_SIGMA, EVENTS_LIMIT = 117, 1.3, 3000
"""How often a user does something, log-normal; the same thing done twice is one feature of more weight."""

POPULARITY_HEAD, POPULARITY_FALL = 15, 1.2
"""The feature of rank r, from 0, is popular as (r + head) to the power of -fall."""

CHUNK_USERS = 10_000
"""Users drawn from one random state, so that the first users of a large draw are those of a small one."""


def synthetic_profiles(users: int, seed: int = 1, features: int = FEATURES) -> sparse.csr_array:
    """Draw profiles.

    Parameters
    ----------
    users, features
        The shape, each at least 1.
    seed
        The same seed gives the same profiles, and the same features to the first users whatever their number; only
        rarity, which is in the weights, follows from all of them.

    Returns
    -------
    users x features, CSR in canonical form, float32 with int32 indices, rows of length 1. Weights are (1 + ln
    occurrences) x ln(1 + users / users with the feature). Everybody has a feature.

    """
    popularity = (np.arange(features) + POPULARITY_HEAD) ** -POPULARITY_FALL
    rng = np.random.default_rng([seed, 0])
    # Features stand topic by topic, so that a topic is an interval of the cumulative popularity.
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
    # A million users have 66 million weights: let go of the parts, and weigh in place.
    del columns, occurrences
    rarity = np.log1p(users / np.maximum(np.bincount(indices, minlength=features), 1)).astype(np.float32)
    np.log(weights, out=weights)
    weights += 1
    weights *= rarity[indices]
    norms = np.sqrt(np.add.reduceat(weights * weights, indptr[:-1], dtype=np.float64))
    weights /= np.repeat(norms.astype(np.float32), np.diff(indptr))
    return sparse.csr_array((weights, indices, indptr.astype(np.int32)), shape=(users, features))


def _draw_chunk(rng: np.random.Generator, cumulative: np.ndarray, topics: np.ndarray) -> sparse.csr_array:
    """Draw what CHUNK_USERS do: users x features, float32 occurrences; topics is the topic of each feature, sorted."""
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
