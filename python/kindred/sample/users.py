"""The users of the synthetic platform, and what makes each of them behave as they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.sample.platform import LEVEL_SHARES, SCHEMAS, TOPIC_WEIGHTS, WINDOW_SECONDS
from kindred.sample.vocabulary import TOPICS

LEVEL_CONCENTRATION = 2.0  # the lower, the more a user keeps to one level

MAX_TOPICS_PER_USER = 4


@dataclass(frozen=True)
class UserBatch:
    """Users with consecutive handles, and what makes each of them behave as they do.

    `ranking` (users by topics) orders all topics by the user's preference; the first ones are the user's own.
    `parts` (users by MAX_TOPICS_PER_USER) holds their shares in ten-thousandths, whole numbers so that they
    sum to 1 exactly, and 0 where the user has fewer topics. `levels` is the cumulative preference for levels
    and `joined_seconds` counts from FIRST_DAY.
    """

    first_handle: int
    ranking: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int64]
    levels: npt.NDArray[np.float64]
    joined_seconds: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.parts)

    def handles(self, users: npt.NDArray[np.int64]) -> pa.Array:
        """Return the handles of users given by their position."""
        return pa.array(users + self.first_handle, pa.int64())

    def draw_topics(
        self, rng: np.random.Generator, users: npt.NDArray[np.int64], off_topic_share: float
    ) -> npt.NDArray[np.int64]:
        """Return a topic for each entry of `users`: by the user's shares or, off topic, by popularity."""
        up_to = np.cumsum(self.parts, axis=1)
        choice = (rng.integers(0, 10_000, len(users))[:, None] >= up_to[users]).sum(axis=1)
        topics: npt.NDArray[np.int64] = self.ranking[users, choice]
        off_topic = rng.random(len(users)) < off_topic_share
        topics[off_topic] = rng.choice(len(TOPICS), off_topic.sum(), p=TOPIC_WEIGHTS)
        return topics

    def share(self, users: npt.NDArray[np.int64], topics: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the share (0 to 1) that each of `users` has in the topic at the same position of `topics`."""
        own = self.ranking[users, :MAX_TOPICS_PER_USER] == topics[:, None]
        shares: npt.NDArray[np.float64] = (own * self.parts[users]).sum(axis=1) / 10_000
        return shares

    def truth(self) -> pa.Table:
        """Return the users' own topics, one row for each user and topic, largest share first."""
        users, place = np.nonzero(self.parts)
        topics = pa.array(TOPICS).take(pa.array(self.ranking[users, place]))
        shares = pa.array(self.parts[users, place] / 10_000)
        return pa.table([self.handles(users), topics, shares], schema=SCHEMAS["truth"])


def draw_users(rng: np.random.Generator, first_handle: int, count: int) -> UserBatch:
    """Draw the topics, the preferred levels and the joining time of `count` users."""
    # Adding Gumbel noise to log weights and sorting is a weighted draw without replacement.
    preference = np.log(TOPIC_WEIGHTS) + rng.gumbel(size=(count, len(TOPICS)))
    ranking = np.argsort(-preference, axis=1, kind="stable")

    topic_counts = rng.choice(np.arange(1, MAX_TOPICS_PER_USER + 1), count, p=[0.3, 0.35, 0.23, 0.12])
    amounts = rng.gamma([3.0, 1.0, 1.0, 1.0], size=(count, MAX_TOPICS_PER_USER))
    amounts[np.arange(MAX_TOPICS_PER_USER) >= topic_counts[:, None]] = 0
    amounts = -np.sort(-amounts, axis=1)
    parts = np.floor(10_000 * amounts / amounts.sum(axis=1, keepdims=True)).astype(np.int64)
    parts[:, 0] += 10_000 - parts.sum(axis=1)

    levels = np.cumsum(rng.dirichlet(LEVEL_CONCENTRATION * LEVEL_SHARES, count), axis=1)
    joined_seconds = rng.integers(0, WINDOW_SECONDS, count)
    return UserBatch(first_handle, ranking, parts, levels, joined_seconds)
