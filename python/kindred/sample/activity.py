"""The activity of the synthetic platform's users: courses viewed, interests followed and assessments taken."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.sample.catalogue import Catalogue
from kindred.sample.draws import CountCurve, first_distinct, positions_within, rank_within
from kindred.sample.platform import DAYS, FIRST_DAY, LEVELS, SCHEMAS, WINDOW_SECONDS, Tags
from kindred.sample.users import UserBatch
from kindred.sample.vocabulary import TOPICS

VIEWER_SHARE = 0.88

OFF_TOPIC_VIEW_SHARE = 0.1

OFF_TOPIC_SECONDS_SHARE = 0.2  # of a view on topic: a course off topic is barely watched

ASSESSED_SHARE = 0.31

OFF_TOPIC_ASSESSMENT_SHARE = 0.2

REPEATED_CLICK_SHARE = 0.28

REPEATED_ROW_SHARE = 0.075

# A user follows interests by clicking on a group: this many of a topic's tags, from its first or sixth on.
GROUP_SIZES = np.array([5, 8, 12, 16, 20, 25])

GROUP_OFFSETS = (0, 5)

COURSES_PER_VIEWER = CountCurve((0, 1), (0.245, 2), (0.495, 5), (0.745, 14), (0.895, 28), (0.99, 97), (1, 480))

ROWS_PER_PAIR = CountCurve((0, 1), (0.66, 2), (0.82, 3), (0.88, 4), (0.925, 5), (0.99, 16), (1, 60))

VIEW_SECONDS = CountCurve((0, 1), (0.1, 107), (0.25, 266), (0.5, 735), (0.75, 2018), (0.9, 5062), (0.995, 18_000))

INTERESTS_PER_USER = CountCurve(
    (0, 1), (0.16, 2), (0.22, 5), (0.49, 12), (0.745, 24), (0.895, 47), (0.99, 139), (1, 330)
)

ASSESSMENTS_PER_TAKER = CountCurve((0, 1), (0.55, 2), (0.72, 3), (0.82, 4), (0.985, 9), (1, 16))

_INTEREST_TAGS = Tags("interest", 0.8)

_ASSESSMENT_TAGS = Tags("assessment", 0.3)

# Every group of interests as a run of tags: its first tag and its length. The single tags come first, so that
# a tag's number is also the number of its group of one; then the groups, by topic, size and offset.
_FIRST_GROUP = len(_INTEREST_TAGS.names)

_GROUP_STARTS = np.concatenate(
    [
        np.arange(_FIRST_GROUP),
        np.add.outer(np.repeat(_INTEREST_TAGS.first, len(GROUP_SIZES)), GROUP_OFFSETS).ravel(),
    ]
)

_GROUP_LENGTHS = np.concatenate(
    [np.ones(_FIRST_GROUP, dtype=np.int64), np.tile(np.repeat(GROUP_SIZES, len(GROUP_OFFSETS)), len(TOPICS))]
)


def draw_views(rng: np.random.Generator, users: UserBatch, catalogue: Catalogue) -> pa.Table:
    """Draw the courses that each user views, when, and for how long; a user may view a course several times."""
    viewers = rng.random(len(users)) < VIEWER_SHARE
    wanted = np.where(viewers, COURSES_PER_VIEWER.draw(rng, len(users)), 0)
    viewer = np.repeat(np.arange(len(users)), np.where(wanted > 0, 2 * wanted + 4, 0))
    topics = users.draw_topics(rng, viewer, off_topic_share=0)
    levels = (rng.random(len(viewer))[:, None] > users.levels[viewer, :-1]).sum(axis=1)
    course = catalogue.draw(rng, topics, levels)
    off_topic = np.flatnonzero(rng.random(len(viewer)) < OFF_TOPIC_VIEW_SHARE)
    course[off_topic] = catalogue.hits.draw(rng, np.zeros_like(off_topic))
    viewer, course = first_distinct(viewer, course, wanted)

    first_day = _later(rng, users.joined_seconds[viewer], mean_days=30) // 86_400
    row_counts = ROWS_PER_PAIR.draw(rng, len(viewer))
    pair = np.repeat(np.arange(len(viewer)), row_counts)
    again_days = 1 + rng.exponential(6.0, len(pair)).astype(np.int64)
    same_day = (rng.random(len(pair)) < 0.45) | (positions_within(row_counts) == 0)
    later_days: npt.NDArray[np.int64] = np.where(same_day, 0, again_days)
    day = first_day[pair] + later_days % (DAYS - first_day[pair])
    viewer, course = viewer[pair], course[pair]
    main_topics, second_topics = catalogue.topics[course].T
    is_on_topic = users.share(viewer, main_topics) + users.share(viewer, second_topics) > 0
    seconds = _shorter_off_topic(VIEW_SECONDS.draw(rng, len(pair)), is_on_topic)

    order = np.lexsort((day, viewer))
    course = pa.array(course[order])
    return pa.table(
        [
            users.handles(viewer[order]),
            pa.array(FIRST_DAY + day[order]),
            catalogue.course_ids.take(course),
            pa.array(catalogue.authors, pa.int64()).take(course),
            pa.array(LEVELS).take(pa.array(catalogue.levels).take(course)),
            pa.array(seconds[order], pa.int32()),
        ],
        schema=SCHEMAS["user_course_views"],
    )


def _shorter_off_topic(seconds: npt.NDArray[np.int64], is_on_topic: npt.NDArray[np.bool]) -> npt.NDArray[np.int64]:
    """Redistribute the seconds: views off topic get the short ones, and the quantiles of all views stay the same."""
    target = np.where(is_on_topic, 1, OFF_TOPIC_SECONDS_SHARE) * seconds
    redistributed = np.empty_like(seconds)
    redistributed[np.argsort(target, kind="stable")] = np.sort(seconds)
    return redistributed


def draw_interests(rng: np.random.Generator, users: UserBatch) -> pa.Table:
    """Draw the interests of each user: whole groups by one click, single tags, and some of both again later."""
    user, group = _draw_clicks(rng, users)
    # The first click is part of joining; the others come later.
    seconds = _later(rng, users.joined_seconds[user], mean_days=20)
    joining = rank_within(user) == 0
    seconds[joining] = users.joined_seconds[user[joining]]
    again = np.flatnonzero(rng.random(len(user)) < REPEATED_CLICK_SHARE)
    user, group = np.concatenate([user, user[again]]), np.concatenate([group, group[again]])
    seconds = np.concatenate([seconds, _later(rng, seconds[again], mean_days=20)])

    sizes = _GROUP_LENGTHS[group]
    tag = np.repeat(_GROUP_STARTS[group], sizes) + positions_within(sizes)
    user, seconds = np.repeat(user, sizes), np.repeat(seconds, sizes)
    order = np.lexsort((seconds, user))
    order = np.repeat(order, 1 + (rng.random(len(order)) < REPEATED_ROW_SHARE))
    return pa.table(
        [
            users.handles(user[order]),
            _INTEREST_TAGS.names.take(pa.array(tag[order])),
            _timestamps(seconds[order]),
        ],
        schema=SCHEMAS["user_interests"],
    )


def _draw_clicks(rng: np.random.Generator, users: UserBatch) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the user and the group of each click: large groups of the user's topics, then single tags."""
    remaining = INTERESTS_PER_USER.draw(rng, len(users))
    clickers, groups = [], []
    for place in range(len(TOPICS)):
        size = np.searchsorted(GROUP_SIZES, remaining, side="right") - 1
        clicker = np.flatnonzero(size >= 0)
        size = size[clicker]
        offset = rng.integers(0, len(GROUP_OFFSETS), len(clicker))
        topic = users.ranking[clicker, place]
        clickers.append(clicker)
        groups.append(_FIRST_GROUP + (topic * len(GROUP_SIZES) + size) * len(GROUP_OFFSETS) + offset)
        remaining[clicker] -= GROUP_SIZES[size]
    single = np.repeat(np.arange(len(users)), remaining)
    clickers.append(single)
    groups.append(_INTEREST_TAGS.by_topic.draw(rng, users.draw_topics(rng, single, off_topic_share=0.1)))
    return np.concatenate(clickers), np.concatenate(groups)


def draw_assessments(rng: np.random.Generator, users: UserBatch) -> pa.Table:
    """Draw the assessments that each user takes, and scores that rise with the user's share in the topic."""
    takers = rng.random(len(users)) < ASSESSED_SHARE
    wanted = np.where(takers, ASSESSMENTS_PER_TAKER.draw(rng, len(users)), 0)
    taker = np.repeat(np.arange(len(users)), np.where(wanted > 0, 4 * wanted + 8, 0))
    topics = users.draw_topics(rng, taker, OFF_TOPIC_ASSESSMENT_SHARE)
    taker, tag = first_distinct(taker, _ASSESSMENT_TAGS.by_topic.draw(rng, topics), wanted)

    affinity = users.share(taker, _ASSESSMENT_TAGS.topic[tag])
    scores = np.rint(rng.normal(108 + 50 * affinity, 38)).clip(0, 298)
    seconds = _later(rng, users.joined_seconds[taker], mean_days=30)
    order = np.lexsort((seconds, taker))
    return pa.table(
        [
            users.handles(taker[order]),
            _ASSESSMENT_TAGS.names.take(pa.array(tag[order])),
            _timestamps(seconds[order]),
            pa.array(scores[order].astype(np.int32)),
        ],
        schema=SCHEMAS["user_assessment_scores"],
    )


def _timestamps(seconds: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array((FIRST_DAY.astype("datetime64[s]") + seconds).astype("datetime64[us]"))


def _later(rng: np.random.Generator, seconds: npt.NDArray[np.int64], mean_days: float) -> npt.NDArray[np.int64]:
    """Return later times than `seconds`, mostly soon after, all inside the window."""
    wait = rng.exponential(mean_days * 86_400, len(seconds)).astype(np.int64)
    return seconds + wait % (WINDOW_SECONDS - seconds)
