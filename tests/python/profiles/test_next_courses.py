"""Next courses: which course leads to which, and which courses are predicted for a user."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from kindred.profiles import next_courses as module
from kindred.profiles.next_courses import BLOCK_USERS, LEADING_COURSES, TAG_WEIGHT, next_courses, relate_courses

SEARCH = settings(deadline=None, max_examples=100, derandomize=True)


# --- references, written without the code under test -------------------------------------------------------


def reference_gram(views, tags):
    """Count viewers in common, and add what tags in common are worth: cosines of tags weighed by their rarity."""
    courses, names = tags.shape
    tagged = sum(tags[course].any() for course in range(courses))
    vectors = np.zeros((courses, names))
    for course in range(courses):
        for name in range(names):
            if tags[course, name]:
                vectors[course, name] = np.log(1 + tagged / tags[:, name].sum())
        if vectors[course].any():
            vectors[course] /= np.sqrt((vectors[course] ** 2).sum())
    gram = np.zeros((courses, courses))
    for one in range(courses):
        for other in range(courses):
            gram[one, other] = (views[:, one] * views[:, other]).sum() + TAG_WEIGHT * vectors[one] @ vectors[other]
    return gram


def reference_strengths(views, tags, max_courses, ridge):
    """Explain every course by the others alone.

    The least of |x_j - X b|^2 + ridge |b|^2 over the courses but j is where (X'X + ridge I) b = X'x_j: one system of
    equations for each course, without that course.
    """
    viewers = views.sum(axis=0)
    kept = sorted(range(len(viewers)), key=lambda course: (-viewers[course], course))[:max_courses]
    kept = [course for course in sorted(kept) if viewers[course] > 0]
    gram = reference_gram(views, tags)
    strengths = np.zeros_like(gram)
    for course in kept:
        others = [other for other in kept if other != course]
        system = gram[np.ix_(others, others)] + ridge * np.eye(len(others))
        strengths[others, course] = np.linalg.solve(system, gram[others, course])
    return strengths


def reference_next(views, strengths, k):
    """Sum for every user what leads to each course that they have not viewed, and keep the k strongest."""
    found = []
    for user in range(views.shape[0]):
        sums = {
            course: round(sum(strengths[views[user] > 0, course].tolist()), 9)
            for course in range(views.shape[1])
            if not views[user, course]
        }
        best = sorted((course for course in sums if sums[course] > 0), key=lambda course: (-sums[course], course))[:k]
        found += [(user, course, sums[course]) for course in sorted(best)]
    return found


def found_next(views, relations, k):
    rows, courses, strengths = next_courses(sparse.csr_array(views), sparse.csr_array(relations), k)
    assert (rows.dtype, courses.dtype, strengths.dtype) == (np.int64, np.int64, np.float64)
    return list(zip(rows.tolist(), courses.tolist(), strengths.tolist(), strict=True))


def related(views, tags, max_courses=100, ridge=2.0):
    relations = relate_courses(sparse.csr_array(views), sparse.csr_array(tags), max_courses, ridge)
    assert relations.shape == (views.shape[1], views.shape[1])
    assert (relations.data > 0).all()
    return relations.toarray()


# --- strategies --------------------------------------------------------------------------------------------


@st.composite
def platforms(draw):
    """Draw who viewed what and which tags courses have: some courses have no viewers, no tags or neither."""
    users, courses, names = draw(st.integers(1, 12)), draw(st.integers(1, 9)), draw(st.integers(0, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    views = (rng.random((users, courses)) < draw(st.sampled_from([0.1, 0.4, 0.8]))).astype(float)
    tags = (rng.random((courses, names)) < draw(st.sampled_from([0.0, 0.2, 0.6]))).astype(float)
    return views, tags


@st.composite
def relations_of(draw, courses):
    """Draw whole strengths, so that sums are exact and ties are ties; mostly none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    strengths = rng.integers(1, 4, (courses, courses)) * (rng.random((courses, courses)) < draw(st.floats(0, 0.6)))
    np.fill_diagonal(strengths, 0)
    return strengths.astype(float)


# --- relations ---------------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms(), max_courses=st.integers(1, 10), ridge=st.sampled_from([0.1, 1.0, 7.5, 60.0]))
def test_strengths_are_those_of_a_regression_on_all_other_courses(platform, max_courses, ridge):
    views, tags = platform
    expected = reference_strengths(views, tags, max_courses, ridge)
    found = related(views, tags, max_courses, ridge)
    np.testing.assert_allclose(found, np.maximum(expected, 0), rtol=0, atol=2e-9)
    assert not np.diag(found).any()


def test_strengths_of_two_courses_by_hand():
    # Three viewed both and one the second only: the first explains the second by b with (3 + 2) b = 3, and the other
    # way round (4 + 2) b = 3.
    views = np.array([[1, 1], [1, 1], [1, 1], [0, 1]])
    found = related(views, np.zeros((2, 0)), ridge=2.0)
    np.testing.assert_allclose(found, [[0, 3 / 5], [3 / 6, 0]], atol=1e-9)
    # The one tag that both have is worth TAG_WEIGHT viewers in common.
    found = related(views, np.ones((2, 1)), ridge=2.0)
    np.testing.assert_allclose(found, [[0, 13 / 15], [13 / 16, 0]], atol=1e-9)


def test_a_course_that_everybody_views_leads_nowhere_in_particular():
    # All viewed course 0; 1 and 2 go together. What 0 says of 2 is what everybody does: 1 says far more.
    views = np.array([[1, 1, 1]] * 5 + [[1, 0, 0]] * 15)
    found = related(views, np.zeros((3, 0)))
    assert found[1, 2] > 5 * found[0, 2]


def test_the_most_viewed_courses_are_related_and_the_first_of_equals():
    # Viewers: 3, 1, 2, 2, 1; everybody viewed everything else in common.
    views = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [1, 0, 0, 0, 0]])
    for max_courses, kept in ((1, set()), (2, {0, 2}), (3, {0, 2, 3}), (4, {0, 1, 2, 3})):
        found = related(views, np.ones((5, 1)), max_courses)
        assert set(np.flatnonzero(found.any(axis=0))) == set(np.flatnonzero(found.any(axis=1))) == kept, max_courses


def test_courses_that_nobody_viewed_neither_lead_nor_are_led_to():
    views = np.array([[1, 0, 1], [1, 0, 1]])
    found = related(views, np.ones((3, 1)))
    assert not found[1].any()
    assert not found[:, 1].any()
    assert found[0, 2] > 0


def test_courses_with_neither_viewers_nor_tags_in_common_are_not_related():
    assert not related(np.eye(3), np.eye(3)).any()
    assert not related(np.eye(3), np.zeros((3, 2))).any()


def test_only_the_strongest_lead_to_a_course_and_the_first_of_equals():
    # One user for each of many courses that also viewed the last: all lead to it alike, but for the last few, which
    # two users viewed with it.
    many = LEADING_COURSES + 10
    views = np.zeros((many + 5, many + 1))
    views[np.arange(many), np.arange(many)] = 1
    views[np.arange(many, many + 5), np.arange(many - 5, many)] = 1
    views[:, many] = 1
    found = related(views, np.zeros((many + 1, 0)), max_courses=many + 1)
    assert np.flatnonzero(found[:, many]).tolist() == [*range(LEADING_COURSES - 5), *range(many - 5, many)]
    expected = reference_strengths(views, np.zeros((many + 1, 0)), many + 1, 2.0)
    kept = found > 0
    np.testing.assert_allclose(found[kept], expected[kept], atol=2e-9)
    assert (np.count_nonzero(found, axis=0) <= LEADING_COURSES).all()


@pytest.mark.parametrize(("users", "courses", "names"), [(0, 0, 0), (3, 0, 0), (0, 3, 2), (3, 3, 0), (3, 3, 2)])
def test_without_views_nothing_leads_anywhere(users, courses, names):
    assert not related(np.zeros((users, courses)), np.ones((courses, names))).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ridge": 0}, "ridge must be above 0, not 0"),
        ({"ridge": -1.5}, r"ridge must be above 0, not -1\.5"),
        ({"max_courses": 0}, "max_courses must be at least 1, not 0"),
    ],
)
def test_wrong_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        related(np.eye(2), np.eye(2), **arguments)


# --- next courses ------------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms(), k=st.integers(1, 12), data=st.data())
def test_next_courses_are_the_strongest_that_were_not_viewed(platform, k, data):
    views, _ = platform
    relations = data.draw(relations_of(views.shape[1]))
    assert found_next(views, relations, k) == reference_next(views, relations, k)


@SEARCH
@given(platform=platforms(), k=st.integers(1, 12))
def test_next_courses_by_relations_as_they_are_learnt(platform, k):
    views, tags = platform
    relations = related(views, tags)
    expected = reference_next(views, relations, k)
    found = found_next(views, relations, k)
    assert [place[:2] for place in found] == [place[:2] for place in expected]
    assert [strength for *_, strength in found] == pytest.approx([strength for *_, strength in expected], abs=2e-9)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_users_in_blocks_get_the_same(monkeypatch, block):
    rng = np.random.default_rng(block)
    views = (rng.random((100, 20)) < 0.2).astype(float)
    views[::9] = 0  # users without courses
    relations = rng.integers(1, 4, (20, 20)) * (rng.random((20, 20)) < 0.3)
    monkeypatch.setattr(module, "BLOCK_USERS", block)
    assert found_next(views, relations.astype(float), 4) == reference_next(views, relations, 4)


def test_more_users_than_a_block():
    users = BLOCK_USERS + 3
    views = np.zeros((users, 2))
    views[1::2, 0] = 1
    relations = np.array([[0, 0.5], [0.25, 0]])
    assert found_next(views, relations, 5) == [(user, 1, 0.5) for user in range(1, users, 2)]


def test_of_equals_the_first_course_counts():
    views = np.array([[1, 0, 0, 0, 0]])
    relations = np.zeros((5, 5))
    relations[0] = [0, 1, 2, 1, 1]
    assert found_next(views, relations, 2) == [(0, 1, 1), (0, 2, 2)]


def test_strengths_that_differ_in_the_last_bits_are_equal():
    views = np.array([[1, 1, 1, 0, 0]])
    relations = np.zeros((5, 5))
    relations[:3, 3], relations[0, 4] = 0.1, 0.3
    assert sum(relations[:, 3]) > sum(relations[:, 4])
    assert found_next(views, relations[:, [0, 1, 2, 4, 3]], 1) == [(0, 3, 0.3)]
    assert found_next(views, relations, 1) == [(0, 3, 0.3)]


def test_a_course_that_was_viewed_takes_no_place():
    # Of two places none goes to the strongest, which the user has viewed.
    views = np.array([[1, 1, 0, 0]])
    relations = np.zeros((4, 4))
    relations[0] = [0, 9, 2, 1]
    assert found_next(views, relations, 2) == [(0, 2, 2), (0, 3, 1)]


@pytest.mark.parametrize(("users", "courses"), [(0, 0), (0, 3), (4, 0), (4, 3)])
def test_without_relations_nobody_is_about_to_take_anything(users, courses):
    assert found_next(np.ones((users, courses)), np.zeros((courses, courses)), 3) == []
