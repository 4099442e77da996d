"""The statistical model behind the synthetic platform: its catalogue, its users and what they do.

Latent topics drive everything. A course belongs to a topic, a user mixes one to four of them, and what a user
views, follows and is assessed in is drawn through those topics; counts per user are heavy-tailed. The curves
below hold the quantiles the sample is to reproduce.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kindred.sample.vocabulary import SUBJECTS, TOPICS

FIRST_DAY = np.datetime64("2017-05-01")

DAYS = 212

WINDOW_SECONDS = DAYS * 86_400

LEVELS = ("Beginner", "Intermediate", "Advanced")

LEVEL_SHARES = np.array([0.39, 0.46, 0.15])

LEVEL_CONCENTRATION = 2.0  # the lower, the more a user keeps to one level

MAX_COURSES = 20_000

HALF_CATALOGUE_USERS = 23_900  # the number of users at which half of MAX_COURSES exist

MIN_COURSES_PER_TOPIC = 10

UNTAGGED_COURSE_SHARE = 0.02

MAX_TOPICS_PER_USER = 4

VIEWER_SHARE = 0.88

OFF_TOPIC_VIEW_SHARE = 0.1

POPULARITY_SIGMA = 1.8  # of the logarithm of a course's popularity

POPULARITY_FLOOR = 0.3  # in medians: even an obscure course is found by someone

HIT_EXPONENT = 1.3  # off topic, users see the hits more than the rest

OFF_TOPIC_SECONDS_SHARE = 0.2  # of a view on topic: what is opened off topic is barely watched

ASSESSED_SHARE = 0.31

OFF_TOPIC_ASSESSMENT_SHARE = 0.2

REPEATED_CLICK_SHARE = 0.28

REPEATED_ROW_SHARE = 0.075

# Interests are followed by clicking on a group: this many of a topic's tags, from its first or sixth on.
GROUP_SIZES = np.array([5, 8, 12, 16, 20, 25])

GROUP_OFFSETS = (0, 5)

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


class CountCurve:
    """A distribution of counts from 1, given by its quantiles; between them it is linear in the logarithm."""

    def __init__(self, *quantiles: tuple[float, int]):
        shares, counts = zip(*quantiles, strict=True)
        up_to = np.interp(np.log(np.arange(2, counts[-1] + 1)), np.log(counts), shares)
        # Rounded, so that the last bit of a platform's logarithm cannot change a draw.
        self._cumulative = np.round(up_to, 9)

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Return `size` counts (int64)."""
        return np.searchsorted(self._cumulative, rng.random(size), side="right") + 1


COURSES_PER_AUTHOR = CountCurve((0, 1), (0.3, 2), (0.54, 3), (0.68, 4), (0.725, 5), (0.95, 12), (0.99, 32), (1, 72))

TAGS_PER_COURSE = CountCurve((0, 1), (0.56, 2), (0.79, 3), (0.88, 4), (0.93, 5), (0.965, 6), (0.985, 7), (1, 9))

COURSES_PER_VIEWER = CountCurve((0, 1), (0.245, 2), (0.495, 5), (0.745, 14), (0.895, 28), (0.99, 97), (1, 480))

ROWS_PER_PAIR = CountCurve((0, 1), (0.66, 2), (0.82, 3), (0.88, 4), (0.925, 5), (0.99, 16), (1, 60))

VIEW_SECONDS = CountCurve((0, 1), (0.1, 107), (0.25, 266), (0.5, 735), (0.75, 2018), (0.9, 5062), (0.995, 18_000))

INTERESTS_PER_USER = CountCurve(
    (0, 1), (0.16, 2), (0.22, 5), (0.49, 12), (0.745, 24), (0.895, 47), (0.99, 139), (1, 330)
)

ASSESSMENTS_PER_TAKER = CountCurve((0, 1), (0.55, 2), (0.72, 3), (0.82, 4), (0.985, 9), (1, 16))


class WeightedGroups:
    """Items in groups, drawn from a group with chances proportional to their weights."""

    def __init__(self, groups: np.ndarray, items: np.ndarray, weights: np.ndarray, group_count: int):
        order = np.argsort(groups, kind="stable")
        self._items = items[order]
        self._bounds = np.searchsorted(groups[order], np.arange(group_count + 1))
        self._cumulative = np.concatenate([[0.0], np.cumsum(weights[order])])

    def sizes(self) -> np.ndarray:
        """Return the number of items in each group."""
        return np.diff(self._bounds)

    def draw(self, rng: np.random.Generator, groups: np.ndarray) -> np.ndarray:
        """Return one item for each entry of `groups`, none of which may be an empty group."""
        low, high = self._cumulative[self._bounds[groups]], self._cumulative[self._bounds[groups + 1]]
        position = np.searchsorted(self._cumulative, low + rng.random(len(groups)) * (high - low), "right") - 1
        return self._items[np.minimum(position, self._bounds[groups + 1] - 1)]


def _first_distinct(owners: np.ndarray, items: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep for each owner its first `wanted[owner]` distinct items; `owners` is sorted."""
    _, first = np.unique(owners * (items.max(initial=0) + 1) + items, return_index=True)
    first.sort()
    owners, items = owners[first], items[first]
    rank = np.arange(len(owners)) - np.searchsorted(owners, owners)
    keep = rank < wanted[owners]
    return owners[keep], items[keep]


def _spread(counts: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... counts[0]-1, 0, 1, ... counts[1]-1, and so on."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def _later(rng: np.random.Generator, seconds: np.ndarray, mean_days: float) -> np.ndarray:
    """Return times after `seconds`, mostly soon, all inside the window."""
    wait = rng.exponential(mean_days * 86_400, len(seconds)).astype(np.int64)
    return seconds + wait % (WINDOW_SECONDS - seconds)


def _topic_weights() -> np.ndarray:
    weights = np.arange(1, len(TOPICS) + 1) ** -0.35
    # The order of the topics in the vocabulary is by field, not by size: step through it.
    weights = weights[np.arange(len(TOPICS)) * 7 % len(TOPICS)]
    return weights / weights.sum()


TOPIC_WEIGHTS = _topic_weights()


class _Tags:
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


_COURSE_TAGS = _Tags("course", 0.7)

_INTEREST_TAGS = _Tags("interest", 0.8)

_ASSESSMENT_TAGS = _Tags("assessment", 0.3)

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


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """Return for each entry how many earlier entries are of the same group."""
    order = np.argsort(groups, kind="stable")
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order])
    return rank


# --- the catalogue ---------------------------------------------------------------------------------------
_COURSE_FORMS = pa.array(
    ["intro", "tour", "lab", "primer", "recipes", "clinic", "basics", "by-hand", "in-depth", "notebook"]
)


@dataclass(frozen=True)
class Catalogue:
    """Every course of the platform: its id, topics, author and level, its tags, and how courses are chosen.

    `topics` (courses by 2) holds a course's main topic and a second one, which is mostly the same.
    """

    course_ids: pa.Array
    topics: np.ndarray
    authors: np.ndarray
    levels: np.ndarray
    course_tags: pa.Table
    by_topic_and_level: WeightedGroups
    hits: WeightedGroups  # one group of all courses

    def draw(self, rng: np.random.Generator, topics: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Return a course for each topic and level; another level where a topic has no course of that one."""
        courses = self.by_topic_and_level.sizes().reshape(len(TOPICS), len(LEVELS))
        fallback = courses.argmax(axis=1)
        levels = np.where(courses[topics, levels] > 0, levels, fallback[topics])
        return self.by_topic_and_level.draw(rng, topics * len(LEVELS) + levels)


def course_count(users: int) -> int:
    """Return how many courses a platform of so many users offers: 5,900 for 10,000, at most MAX_COURSES."""
    smallest = MIN_COURSES_PER_TOPIC * len(TOPICS)
    return max(smallest, round(MAX_COURSES * users / (users + HALF_CATALOGUE_USERS)))


def draw_catalogue(rng: np.random.Generator, users: int) -> Catalogue:
    """Draw the courses, authors and course tags of a platform of so many users."""
    count = course_count(users)
    authors, topics = _draw_authorship(rng, count)
    second_topics = np.where(rng.random(count) < 0.15, rng.choice(len(TOPICS), count, p=TOPIC_WEIGHTS), topics)
    levels = rng.choice(len(LEVELS), count, p=LEVEL_SHARES)
    popularity = POPULARITY_FLOOR + rng.lognormal(0.0, POPULARITY_SIGMA, count)

    rank_in_topic = _rank_within(topics)
    covers = rank_in_topic < _COURSE_TAGS.base_counts[topics]
    # A topic's first courses take its base subjects in turn: a catalogue covers the basics before it deepens.
    main_tags = np.where(covers, _COURSE_TAGS.first[topics] + rank_in_topic, _COURSE_TAGS.by_topic.draw(rng, topics))
    forms = rng.integers(0, len(_COURSE_FORMS), count)
    course_ids = _course_ids(main_tags, forms)

    two_topics = second_topics != topics
    by_topic_and_level = WeightedGroups(
        np.concatenate([topics, second_topics[two_topics]]) * len(LEVELS)
        + np.concatenate([levels, levels[two_topics]]),
        np.concatenate([np.arange(count), np.flatnonzero(two_topics)]),
        np.concatenate([popularity, 0.4 * popularity[two_topics]]),
        len(TOPICS) * len(LEVELS),
    )
    course_tags = _draw_course_tags(rng, course_ids, main_tags, topics, second_topics, covers)
    hits = WeightedGroups(np.zeros(count, dtype=np.int64), np.arange(count), popularity**HIT_EXPONENT, 1)
    both_topics = np.column_stack([topics, second_topics])
    return Catalogue(course_ids, both_topics, authors + 1, levels, course_tags, by_topic_and_level, hits)


def _draw_authorship(rng: np.random.Generator, courses: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the author (from 0) and the main topic of each course."""
    sizes = COURSES_PER_AUTHOR.draw(rng, courses)
    # The first authors take one topic each, and few courses, so that the smallest catalogue has all topics.
    sizes[: len(TOPICS)] = np.minimum(sizes[: len(TOPICS)], MIN_COURSES_PER_TOPIC)
    authors = np.repeat(np.arange(courses), sizes)[:courses]
    count = authors[-1] + 1
    first = np.concatenate(
        [rng.permutation(len(TOPICS)), rng.choice(len(TOPICS), count - len(TOPICS), p=TOPIC_WEIGHTS)]
    )
    second = np.where(rng.random(count) < 0.1, rng.choice(len(TOPICS), count, p=TOPIC_WEIGHTS), first)
    second[: len(TOPICS)] = first[: len(TOPICS)]
    return authors, np.where(rng.random(courses) < 0.35, second[authors], first[authors])


def _course_ids(main_tags: np.ndarray, forms: np.ndarray) -> pa.Array:
    slugs = pa.array(
        tag.replace("#", "-sharp")
        .replace("++", "-plus-plus")
        .replace(".net", "dotnet")
        .replace(".", "-")
        .replace("/", "-")
        for tag in _COURSE_TAGS.names.to_pylist()
    )
    number = _rank_within(main_tags * len(_COURSE_FORMS) + forms) + 1
    words = zip(slugs.take(pa.array(main_tags)), _COURSE_FORMS.take(pa.array(forms)), number, strict=True)
    return pa.array(f"{slug}-{form}-{ordinal}" for slug, form, ordinal in words)


def _draw_course_tags(
    rng: np.random.Generator,
    course_ids: pa.Array,
    main_tags: np.ndarray,
    topics: np.ndarray,
    second_topics: np.ndarray,
    covers: np.ndarray,
) -> pa.Table:
    count = len(main_tags)
    wanted = TAGS_PER_COURSE.draw(rng, count)
    # The courses that cover a base subject go last, so that its tag is in use whatever the draw.
    by_cover = rng.permutation(count)
    by_cover = by_cover[np.argsort(covers[by_cover], kind="stable")]
    wanted[by_cover[: round(UNTAGGED_COURSE_SHARE * count)]] = 0

    candidates = 2 * wanted + 3
    courses = np.repeat(np.arange(count), candidates)
    from_second = rng.random(len(courses)) < 0.3
    tags = _COURSE_TAGS.by_topic.draw(rng, np.where(from_second, second_topics[courses], topics[courses]))
    tags[np.cumsum(candidates) - candidates] = main_tags
    courses, tags = _first_distinct(courses, tags, wanted)

    untagged = np.flatnonzero(wanted == 0)
    courses = np.concatenate([courses, untagged])
    tags = _COURSE_TAGS.names.take(pa.array(tags))
    tags = pa.concat_arrays([tags, pa.nulls(len(untagged), pa.string())])
    order = pa.array(np.argsort(courses, kind="stable"))
    ids = course_ids.take(pa.array(courses))
    return pa.table([ids.take(order), tags.take(order)], schema=SCHEMAS["course_tags"])


# --- users -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Users:
    """A run of users with consecutive handles, and what makes each of them behave as they do.

    `ranking` (users by topics) orders all topics by the user's liking; the first ones are the user's own.
    `parts` (users by MAX_TOPICS_PER_USER) holds their shares in ten-thousandths, whole numbers so that they
    sum to 1 exactly, and 0 where the user has fewer topics. `levels` is the cumulative preference for levels
    and `joined_seconds` counts from FIRST_DAY.
    """

    first_handle: int
    ranking: np.ndarray
    parts: np.ndarray
    levels: np.ndarray
    joined_seconds: np.ndarray

    def __len__(self) -> int:
        return len(self.parts)

    def handles(self, users: np.ndarray) -> pa.Array:
        """Return the handles of users given by their position."""
        return pa.array(users + self.first_handle, pa.int64())

    def draw_topics(self, rng: np.random.Generator, users: np.ndarray, off_topic_share: float) -> np.ndarray:
        """Return a topic for each entry of `users`, by the user's shares or, off topic, by popularity."""
        up_to = np.cumsum(self.parts, axis=1)
        choice = (rng.integers(0, 10_000, len(users))[:, None] >= up_to[users]).sum(axis=1)
        topics = self.ranking[users, choice]
        off_topic = rng.random(len(users)) < off_topic_share
        topics[off_topic] = rng.choice(len(TOPICS), off_topic.sum(), p=TOPIC_WEIGHTS)
        return topics

    def share(self, users: np.ndarray, topics: np.ndarray) -> np.ndarray:
        """Return the share each of `users` has in the topic beside it (0 to 1)."""
        own = self.ranking[users, :MAX_TOPICS_PER_USER] == topics[:, None]
        return (own * self.parts[users]).sum(axis=1) / 10_000

    def truth(self) -> pa.Table:
        """Return the users' own topics, one row for each user and topic, the largest share first."""
        users, place = np.nonzero(self.parts)
        topics = pa.array(TOPICS).take(pa.array(self.ranking[users, place]))
        shares = pa.array(self.parts[users, place] / 10_000)
        return pa.table([self.handles(users), topics, shares], schema=SCHEMAS["truth"])


def draw_users(rng: np.random.Generator, first_handle: int, count: int) -> Users:
    """Draw the topics, the preferred levels and the joining time of `count` users."""
    # Adding Gumbel noise to log weights and sorting is a weighted draw without replacement.
    liking = np.log(TOPIC_WEIGHTS) + rng.gumbel(size=(count, len(TOPICS)))
    ranking = np.argsort(-liking, axis=1, kind="stable")

    topic_counts = rng.choice(np.arange(1, MAX_TOPICS_PER_USER + 1), count, p=[0.3, 0.35, 0.23, 0.12])
    amounts = rng.gamma([3.0, 1.0, 1.0, 1.0], size=(count, MAX_TOPICS_PER_USER))
    amounts[np.arange(MAX_TOPICS_PER_USER) >= topic_counts[:, None]] = 0
    amounts = -np.sort(-amounts, axis=1)
    parts = np.floor(10_000 * amounts / amounts.sum(axis=1, keepdims=True)).astype(np.int64)
    parts[:, 0] += 10_000 - parts.sum(axis=1)

    levels = np.cumsum(rng.dirichlet(LEVEL_CONCENTRATION * LEVEL_SHARES, count), axis=1)
    joined_seconds = rng.integers(0, WINDOW_SECONDS, count)
    return Users(first_handle, ranking, parts, levels, joined_seconds)


# --- what users do ---------------------------------------------------------------------------------------
def draw_views(rng: np.random.Generator, users: Users, catalogue: Catalogue) -> pa.Table:
    """Draw the courses each user views, when, and for how long; a course may be viewed several times."""
    viewers = rng.random(len(users)) < VIEWER_SHARE
    wanted = np.where(viewers, COURSES_PER_VIEWER.draw(rng, len(users)), 0)
    viewer = np.repeat(np.arange(len(users)), np.where(wanted > 0, 2 * wanted + 4, 0))
    topics = users.draw_topics(rng, viewer, off_topic_share=0)
    levels = (rng.random(len(viewer))[:, None] > users.levels[viewer, :-1]).sum(axis=1)
    course = catalogue.draw(rng, topics, levels)
    off_topic = np.flatnonzero(rng.random(len(viewer)) < OFF_TOPIC_VIEW_SHARE)
    course[off_topic] = catalogue.hits.draw(rng, np.zeros_like(off_topic))
    viewer, course = _first_distinct(viewer, course, wanted)

    first_day = _later(rng, users.joined_seconds[viewer], mean_days=30) // 86_400
    row_counts = ROWS_PER_PAIR.draw(rng, len(viewer))
    pair = np.repeat(np.arange(len(viewer)), row_counts)
    again_days = 1 + rng.exponential(6.0, len(pair)).astype(np.int64)
    same_day = (rng.random(len(pair)) < 0.45) | (_spread(row_counts) == 0)
    day = first_day[pair] + np.where(same_day, 0, again_days) % (DAYS - first_day[pair])
    viewer, course = viewer[pair], course[pair]
    is_on_topic = sum(users.share(viewer, topics) for topics in catalogue.topics[course].T) > 0
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


def _shorter_off_topic(seconds: np.ndarray, is_on_topic: np.ndarray) -> np.ndarray:
    """Deal out the same seconds anew, so that views off topic get short ones and all together keep their quantiles."""
    meant = np.where(is_on_topic, 1, OFF_TOPIC_SECONDS_SHARE) * seconds
    dealt = np.empty_like(seconds)
    dealt[np.argsort(meant, kind="stable")] = np.sort(seconds)
    return dealt


def draw_interests(rng: np.random.Generator, users: Users) -> pa.Table:
    """Draw what each user follows: whole groups at one click, single tags, and some of both again later."""
    user, group = _draw_clicks(rng, users)
    # The first click is part of joining; the others come with time.
    seconds = _later(rng, users.joined_seconds[user], mean_days=20)
    joining = _rank_within(user) == 0
    seconds[joining] = users.joined_seconds[user[joining]]
    again = np.flatnonzero(rng.random(len(user)) < REPEATED_CLICK_SHARE)
    user, group = np.concatenate([user, user[again]]), np.concatenate([group, group[again]])
    seconds = np.concatenate([seconds, _later(rng, seconds[again], mean_days=20)])

    sizes = _GROUP_LENGTHS[group]
    tag = np.repeat(_GROUP_STARTS[group], sizes) + _spread(sizes)
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


def _draw_clicks(rng: np.random.Generator, users: Users) -> tuple[np.ndarray, np.ndarray]:
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


def draw_assessments(rng: np.random.Generator, users: Users) -> pa.Table:
    """Draw which assessments each user takes, and scores that rise with the user's share in the topic."""
    takers = rng.random(len(users)) < ASSESSED_SHARE
    wanted = np.where(takers, ASSESSMENTS_PER_TAKER.draw(rng, len(users)), 0)
    taker = np.repeat(np.arange(len(users)), np.where(wanted > 0, 4 * wanted + 8, 0))
    topics = users.draw_topics(rng, taker, OFF_TOPIC_ASSESSMENT_SHARE)
    taker, tag = _first_distinct(taker, _ASSESSMENT_TAGS.by_topic.draw(rng, topics), wanted)

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


def _timestamps(seconds: np.ndarray) -> pa.Array:
    return pa.array((FIRST_DAY.astype("datetime64[s]") + seconds).astype("datetime64[us]"))
