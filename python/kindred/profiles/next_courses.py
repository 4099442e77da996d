"""Next courses: which course leads to which, and which courses are predicted for a user."""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from kindred.matrices import best_of_rows, holds

TAG_WEIGHT = 10
"""The viewers in common that two courses of the same single tag are worth before anybody has viewed them."""

LEADING_COURSES = 50
"""The most courses that count as leading to one course; any number from 20 to 100 gives nearly the same."""

STRENGTH_DECIMALS = 9
"""Decimals that strengths are rounded to: the last bits of a matrix inverse depend on the machine."""

BLOCK_USERS = 1024
"""Users whose next courses are found at a time; bounds memory, whatever the number of users."""


def relate_courses(
    views: sparse.csr_array, course_tags: sparse.csr_array, max_courses: int, ridge: float
) -> sparse.csr_array:
    """Learn from the views alone how strongly having viewed one course leads to another.

    The strengths B minimise |X - XB|^2 + ridge |B|^2 with a diagonal of 0: each course is explained by the others, so
    that a course popular with everybody leads nowhere in particular. In closed form B_ij = -P_ij / P_jj with P the
    inverse of X'X + ridge I (Steck 2019: Embarrassingly shallow autoencoders for sparse data); tags in common are
    added to X'X, so that courses with few viewers borrow from courses of the same subjects.

    Parameters
    ----------
    views
        Users x courses, CSR: 1 where a user viewed a course.
    course_tags
        Courses x tags, CSR: 1 where a course has a tag.
    max_courses
        The courses that are related: those with most viewers. The cost grows with the cube of their number, and courses
        with few viewers tell nothing.
    ridge
        The doubt about every course, in viewers, above 0.

    Returns
    -------
    CSR array of shape (courses, courses), float64 above 0: in row i and column j how strongly course i leads to j; at
    most LEADING_COURSES in a column.

    Raises
    ------
    ValueError
        If ridge is not above 0 or max_courses below 1.

    """
    if ridge <= 0:
        raise ValueError(f"ridge must be above 0, not {ridge}")
    if max_courses < 1:
        raise ValueError(f"max_courses must be at least 1, not {max_courses}")
    viewers = np.asarray(views.sum(axis=0)).ravel()
    courses = np.sort(np.argsort(-viewers, kind="stable")[:max_courses])
    courses = courses[viewers[courses] > 0]
    if not len(courses):
        return sparse.csr_array((views.shape[1], views.shape[1]))

    viewed = views[:, courses].astype(np.float64)
    tags = _unit_tags(course_tags)[courses]
    gram = (viewed.T @ viewed).toarray() + TAG_WEIGHT * (tags @ tags.T).toarray()
    gram[np.diag_indices_from(gram)] += ridge
    # Threads of the library wait for each other in a loop: beside other work they take ten times as long as one.
    with threadpool_limits(1, user_api="blas"):
        factor, _ = linalg.lapack.dpotrf(gram.T, lower=1, overwrite_a=1)
        inverse, _ = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    # A row for every course that is led to.
    strengths = np.round(-inverse / np.diag(inverse)[:, None], STRENGTH_DECIMALS)
    np.fill_diagonal(strengths, 0)
    # Few reach the strength at the last place, so that only those need sorting.
    place = max(len(courses) - LEADING_COURSES, 0)
    least = np.partition(strengths, place, axis=1)[:, place, None]
    candidates = sparse.csr_array(np.where(strengths >= least, strengths, 0))
    entries, led_to, _ = best_of_rows(candidates.indptr, candidates.indices, candidates.data, LEADING_COURSES)
    return sparse.csr_array(
        (candidates.data[entries], (courses[candidates.indices[entries]], courses[led_to])),
        shape=(views.shape[1], views.shape[1]),
    )


def next_courses(
    views: sparse.csr_array, relations: sparse.csr_array, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the courses that a user's own courses lead to most strongly and that the user has not viewed.

    Parameters
    ----------
    views
        Users x courses, CSR: 1 where a user viewed a course.
    relations
        Courses x courses, CSR, as `relate_courses` returns it.
    k
        How many courses a user gets at most.

    Returns
    -------
    rows, courses, strengths
        Arrays of one length, by row and then course: the user's row, the course, and the sum of what leads to it.

    """
    found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for start in range(0, views.shape[0], BLOCK_USERS):
        seen = sparse.csr_array(views[start : start + BLOCK_USERS])
        sums = sparse.csr_array(seen @ relations)
        rows = np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))
        strengths = np.where(holds(seen, rows, sums.indices), 0, np.round(sums.data, STRENGTH_DECIMALS))
        entries, rows, _ = best_of_rows(sums.indptr, sums.indices, strengths, k)
        order = np.lexsort((sums.indices[entries], rows))
        entries, rows = entries[order], rows[order]
        found.append((rows + start, sums.indices[entries].astype(np.int64), strengths[entries]))
    rows, courses, strengths = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, courses, strengths


def _unit_tags(course_tags: sparse.csr_array) -> sparse.csr_array:
    """Weigh tags by their rarity among courses and scale every course to length 1; courses without tags stay 0."""
    tags = course_tags.astype(np.float64)
    tagged = np.count_nonzero(np.diff(tags.indptr))
    courses_of_tag = np.asarray(tags.sum(axis=0)).ravel()
    weighted = sparse.csr_array(tags @ sparse.diags_array(np.log1p(tagged / np.maximum(courses_of_tag, 1))))
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return sparse.csr_array(sparse.diags_array(1 / lengths) @ weighted)
