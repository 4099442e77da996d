"""What the parts of the synthetic platform share: its dates, levels, topics, tags and the columns of its tables.

Latent topics drive everything. A course belongs to a topic, a user mixes one to four of them, and what a user views,
follows and is assessed in is drawn through those topics. Counts per user are heavy-tailed. The curves in `catalogue`
and `activity` hold the quantiles that the sample reproduces.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.sample.draws import WeightedGroups
from kindred.sample.vocabulary import SUBJECTS, TOPICS

FIRST_DAY = np.datetime64("2017-05-01")

DAYS = 212

WINDOW_SECONDS = DAYS * 86_400

LEVELS = ("Beginner", "Intermediate", "Advanced")

LEVEL_SHARES = np.array([0.39, 0.46, 0.15])

SCHEMAS = {
    "course_tags": pa.schema([("course_id", pa.string()), ("course_tags", pa.string())]),
    "user_assessment_scores": pa.schema(
        [
            ("user_handle", pa.int64()),
            ("assessment_tag", pa.string()),
            ("user_assessment_date", pa.timestamp("us")),
            ("user_assessment_score", pa.int32()),
        ]
    ),
    "user_course_views": pa.schema(
        [
            ("user_handle", pa.int64()),
            ("view_date", pa.date32()),
            ("course_id", pa.string()),
            ("author_handle", pa.int64()),
            ("level", pa.string()),
            ("view_time_seconds", pa.int32()),
        ]
    ),
    "user_interests": pa.schema(
        [("user_handle", pa.int64()), ("interest_tag", pa.string()), ("date_followed", pa.timestamp("us"))]
    ),
    "truth": pa.schema([("user_handle", pa.int64()), ("topic", pa.string()), ("share", pa.float64())]),
}


def _topic_weights() -> npt.NDArray[np.float64]:
    weights = np.arange(1, len(TOPICS) + 1) ** -0.35
    # The vocabulary lists topics by field, not by size: step through it.
    weights = weights[np.arange(len(TOPICS)) * 7 % len(TOPICS)]
    shares: npt.NDArray[np.float64] = weights / weights.sum()
    return shares


TOPIC_WEIGHTS = _topic_weights()


class Tags:
    """The tags of one vocabulary, numbered by topic and inside a topic by falling popularity."""

    def __init__(self, vocabulary: str, popularity_exponent: float):
        tagged = [subject for subject in SUBJECTS if getattr(subject, vocabulary)]
        self.names = pa.array([getattr(subject, vocabulary) for subject in tagged])
        topic = np.array([TOPICS.index(subject.topic) for subject in tagged])
        self.first = np.searchsorted(topic, np.arange(len(TOPICS)))
        rank = np.arange(len(topic)) - self.first[topic]
        self.base_counts = np.bincount(
            topic, weights=[not subject.is_facet for subject in tagged], minlength=len(TOPICS)
        ).astype(np.int64)
        self.topic = topic
        self.by_topic = WeightedGroups(topic, np.arange(len(topic)), (rank + 1.0) ** -popularity_exponent, len(TOPICS))
