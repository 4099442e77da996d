"""The catalogue of the synthetic platform: its courses, authors and course tags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.sample.draws import CountCurve, WeightedGroups, first_distinct, rank_within
from kindred.sample.platform import LEVEL_SHARES, LEVELS, SCHEMAS, TOPIC_WEIGHTS, Tags
from kindred.sample.vocabulary import TOPICS

MAX_COURSES = 20_000

HALF_CATALOGUE_USERS = 23_900  # the number of users at which half of MAX_COURSES exist

MIN_COURSES_PER_TOPIC = 10

UNTAGGED_COURSE_SHARE = 0.02

POPULARITY_SIGMA = 1.8  # of the logarithm of a course's popularity

POPULARITY_FLOOR = 0.3  # in medians: even an obscure course finds some viewers

HIT_EXPONENT = 1.3  # off topic, users see the most popular courses more than the rest

COURSES_PER_AUTHOR = CountCurve((0, 1), (0.3, 2), (0.54, 3), (0.68, 4), (0.725, 5), (0.95, 12), (0.99, 32), (1, 72))

TAGS_PER_COURSE = CountCurve((0, 1), (0.56, 2), (0.79, 3), (0.88, 4), (0.93, 5), (0.965, 6), (0.985, 7), (1, 9))

_COURSE_TAGS = Tags("course", 0.7)

_COURSE_FORMS = pa.array(
    ["intro", "tour", "lab", "primer", "recipes", "clinic", "basics", "by-hand", "in-depth", "notebook"]
)


@dataclass(frozen=True)
class Catalogue:
    """Every course of the platform: its id, topics, author, level and tags, and the weights by which courses are drawn.

    `topics` (courses by 2) holds a course's main topic and a second topic, which is mostly the same one.
    """

    course_ids: pa.Array
    topics: npt.NDArray[np.int64]
    authors: npt.NDArray[np.int64]
    levels: npt.NDArray[np.int64]
    course_tags: pa.Table
    by_topic_and_level: WeightedGroups
    hits: WeightedGroups  # one group of all courses

    def draw(
        self, rng: np.random.Generator, topics: npt.NDArray[np.int64], levels: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return a course for each topic and level; a topic without courses of a level offers another level."""
        courses = self.by_topic_and_level.sizes().reshape(len(TOPICS), len(LEVELS))
        fallback = courses.argmax(axis=1)
        levels = np.where(courses[topics, levels] > 0, levels, fallback[topics])
        return self.by_topic_and_level.draw(rng, topics * len(LEVELS) + levels)


def course_count(users: int) -> int:
    """Return the number of courses for a number of users: 5,900 for 10,000 users, at most MAX_COURSES."""
    smallest = MIN_COURSES_PER_TOPIC * len(TOPICS)
    return max(smallest, round(MAX_COURSES * users / (users + HALF_CATALOGUE_USERS)))


def draw_catalogue(rng: np.random.Generator, users: int) -> Catalogue:
    """Draw the courses, authors and course tags of a platform with `users` users."""
    count = course_count(users)
    authors, topics = _draw_authorship(rng, count)
    second_topics = np.where(rng.random(count) < 0.15, rng.choice(len(TOPICS), count, p=TOPIC_WEIGHTS), topics)
    levels = rng.choice(len(LEVELS), count, p=LEVEL_SHARES)
    popularity = POPULARITY_FLOOR + rng.lognormal(0.0, POPULARITY_SIGMA, count)

    rank_in_topic = rank_within(topics)
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


def _draw_authorship(rng: np.random.Generator, courses: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
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


def _course_ids(main_tags: npt.NDArray[np.int64], forms: npt.NDArray[np.int64]) -> pa.Array:
    slugs = pa.array(
        tag.replace("#", "-sharp")
        .replace("++", "-plus-plus")
        .replace(".net", "dotnet")
        .replace(".", "-")
        .replace("/", "-")
        for tag in _COURSE_TAGS.names.to_pylist()
    )
    number = rank_within(main_tags * len(_COURSE_FORMS) + forms) + 1
    words = zip(slugs.take(pa.array(main_tags)), _COURSE_FORMS.take(pa.array(forms)), number, strict=True)
    return pa.array(f"{slug}-{form}-{ordinal}" for slug, form, ordinal in words)


def _draw_course_tags(
    rng: np.random.Generator,
    course_ids: pa.Array,
    main_tags: npt.NDArray[np.int64],
    topics: npt.NDArray[np.int64],
    second_topics: npt.NDArray[np.int64],
    covers: npt.NDArray[np.bool],
) -> pa.Table:
    count = len(main_tags)
    wanted = TAGS_PER_COURSE.draw(rng, count)
    # The courses that cover a base subject come last, so that its tag is in use in every draw.
    by_cover = rng.permutation(count)
    by_cover = by_cover[np.argsort(covers[by_cover], kind="stable")]
    wanted[by_cover[: round(UNTAGGED_COURSE_SHARE * count)]] = 0

    candidates = 2 * wanted + 3
    courses = np.repeat(np.arange(count), candidates)
    from_second = rng.random(len(courses)) < 0.3
    tags = _COURSE_TAGS.by_topic.draw(rng, np.where(from_second, second_topics[courses], topics[courses]))
    tags[np.cumsum(candidates) - candidates] = main_tags
    courses, tags = first_distinct(courses, tags, wanted)

    untagged = np.flatnonzero(wanted == 0)
    courses = np.concatenate([courses, untagged])
    tags = _COURSE_TAGS.names.take(pa.array(tags))
    tags = pa.concat_arrays([tags, pa.nulls(len(untagged), pa.string())])
    order = pa.array(np.argsort(courses, kind="stable"))
    ids = course_ids.take(pa.array(courses))
    return pa.table([ids.take(order), tags.take(order)], schema=SCHEMAS["course_tags"])
