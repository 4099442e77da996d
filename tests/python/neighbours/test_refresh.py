"""Refreshed lists are those that a search for all users would find, whatever has changed since."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from ties import key_of, tie_order

from kindred.build.tables import in_parts
from kindred.neighbours import all_pairs, refresh
from kindred.neighbours import top_k as top_k_module
from kindred.neighbours.candidates import find_candidates
from kindred.neighbours.lists import KnownLists
from kindred.neighbours.refresh import known_lists, refresh_lists
from kindred.neighbours.top_k import top_k
from kindred.profiles.matrix import Profiles

SEARCH = settings(deadline=None, max_examples=150, derandomize=True)
BOUNDED_FROM_MEETINGS = {"symmetric": np.inf, "pruned": 0, "both": 0.2}
BLOCK = 16


@pytest.fixture(scope="module", autouse=True, params=BOUNDED_FROM_MEETINGS)
def kernel(request):
    """Run every test with both kernels, in blocks of which a test has many, however few users there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(top_k_module, "COMPILED_FROM_PRODUCTS", 0)
        patch.setattr(all_pairs, "BOUNDED_FROM_MEETINGS", BOUNDED_FROM_MEETINGS[request.param])
        patch.setattr(all_pairs, "BLOCK_USERS", BLOCK)
        patch.setattr(all_pairs, "INDEXES_MB", 0.001)
        patch.setattr(refresh, "MAX_CHANGED_SHARE", 1)
        yield request.param


# --- what is right, by brute force -------------------------------------------------------------------------


def exchanged(weights, pairs):
    """Return what profiles are compared with: the first columns stand for those after them, and the reverse."""
    order = [*range(pairs, 2 * pairs), *range(pairs), *range(2 * pairs, weights.shape[1])]
    return weights[:, order]


def sorted_others(weights, pairs, tie_keys):
    """Return for every row all others with a score above 0, by falling score and then tie order, and the scores."""
    scores = weights @ exchanged(weights, pairs).T
    np.fill_diagonal(scores, 0)
    lists = []
    for key, row in zip(tie_keys, scores.tolist(), strict=True):
        others = [other for other, score in enumerate(row) if score > 0]
        others.sort(key=lambda other: (-row[other], tie_order(key, tie_keys[other])))
        lists.append([(other, row[other]) for other in others])
    return lists


def assert_known(found, expected, min_length):
    """Assert that lists are the first of all others, as many as are asked for or all that there are."""
    for row, others in enumerate(expected):
        length = int((found.indices[row] >= 0).sum())
        assert (found.indices[row, length:] == -1).all()
        assert (found.scores[row, length:] == 0).all()
        assert list(zip(found.indices[row, :length], found.scores[row, :length], strict=True)) == others[:length]
        assert length >= min(min_length, len(others))
        assert not found.is_complete[row] or length == len(others)


def keys_of(names):
    return np.array([key_of(name) for name in names], dtype=np.int64)


def options(weights, pairs, tie_keys):
    counterparts = sparse.csr_array(exchanged(weights, pairs).astype(float)) if pairs else None
    return {"counterparts": counterparts, "tie_keys": tie_keys}


def profiles_of(weights):
    return sparse.csr_array(weights.astype(float))


# --- strategies --------------------------------------------------------------------------------------------


def draw_weights(rng, users, features, density):
    return rng.integers(1, 3, (users, features)) * (rng.random((users, features)) < density)


@st.composite
def histories(draw):
    """Draw a platform, how many columns are exchanged, and what becomes of it: weights and who was which row before.

    Whole weights make ties common. Of each step: users who leave, users whose row changes, and users who come, among
    the others and not after them, so that rows move.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    features, density = draw(st.integers(2, 8)), draw(st.sampled_from([0.15, 0.4, 0.8]))
    weights = draw_weights(rng, draw(st.integers(1, 70)), features, density)
    first, steps = weights, []
    for _ in range(draw(st.integers(1, 4))):
        before = np.flatnonzero(rng.random(len(weights)) >= draw(st.sampled_from([0, 0.05, 0.3])))
        kept = weights[before]
        changed = rng.random(len(kept)) < draw(st.sampled_from([0, 0.03, 0.3]))
        kept[changed] = draw_weights(rng, changed.sum(), features, density)
        places = np.sort(rng.integers(0, len(kept) + 1, draw(st.integers(0, 5))))
        weights = np.insert(kept, places, draw_weights(rng, len(places), features, density), axis=0)
        before = np.insert(before, places, -1)
        steps.append((weights, before))
    return first, draw(st.integers(0, features // 2)), steps


def moved(known, before):
    """Return known lists in today's rows; before has the row that each of today's users had, -1 for a new one."""
    today = np.full(len(known.indices) + 1, -1)
    today[before[before >= 0]] = np.flatnonzero(before >= 0)
    # Row -1, the last, is nobody's.
    k = known.indices.shape[1]
    indices = today[np.vstack([known.indices, np.full((1, k), -1)])[before]]
    scores = np.vstack([known.scores, np.zeros((1, k))])[before]
    is_complete = np.append(known.is_complete, False)[before]
    return KnownLists(indices.astype(np.int32), np.where(indices >= 0, scores, 0), is_complete)


# --- the tests ---------------------------------------------------------------------------------------------


@SEARCH
@given(history=histories(), min_length=st.integers(1, 8), spare=st.integers(0, 4), threads=st.sampled_from([1, 2]))
def test_lists_are_those_found_anew_step_by_step(history, min_length, spare, threads):
    weights, pairs, steps = history
    keys = keys_of(range(len(weights)))
    known = known_lists(profiles_of(weights), min_length + spare, **options(weights, pairs, keys))
    assert_known(known, sorted_others(weights, pairs, keys), min_length + spare)
    for step, (after, before) in enumerate(steps):
        # A user's key never changes, though the row does.
        keys = np.where(before >= 0, keys[before], keys_of(f"{step} {row}" for row in range(len(after))))
        was = np.vstack([weights, np.zeros((1, after.shape[1]), dtype=int)])[before]
        changed = (before < 0) | (was != after).any(axis=1)
        known = refresh_lists(
            profiles_of(after),
            moved(known, before),
            changed,
            min_length,
            threads=threads,
            **options(after, pairs, keys),
        )
        assert_known(known, sorted_others(after, pairs, keys), min_length)
        weights = after


def test_scores_are_those_found_anew_to_the_last_bit():
    # Seen from the other of a pair the terms of a score stand in another order, where columns are exchanged.
    rng = np.random.default_rng(4)
    weights = rng.random((150, 40)) * (rng.random((150, 40)) < 0.5)
    keys = keys_of(range(150))
    known = known_lists(profiles_of(weights), 15, **options(weights, 15, keys))
    changed = rng.random(150) < 0.1
    weights[changed] *= rng.random(40)
    found = refresh_lists(profiles_of(weights), known, changed, 10, **options(weights, 15, keys))
    indices, scores = top_k(profiles_of(weights), 15, metric="dot", **options(weights, 15, keys))
    is_known = found.indices >= 0
    assert is_known[:, :10].all()
    np.testing.assert_array_equal(found.indices[is_known], indices[is_known])
    np.testing.assert_array_equal(found.scores[is_known], scores[is_known])


def test_only_who_has_changed_is_compared_again(monkeypatch):
    rng = np.random.default_rng(5)
    weights = draw_weights(rng, 200, 30, 0.3)
    keys = keys_of(range(200))
    known = known_lists(profiles_of(weights), 12, tie_keys=keys)
    changed = np.zeros(200, dtype=bool)
    changed[[3, 77]] = True
    weights[changed] = draw_weights(rng, 2, 30, 0.3)
    compared = []
    offer_pairs = all_pairs.offer_pairs

    def watched(matrix, counterparts, some, others, *rest):
        compared.append((some.tolist(), len(others)))
        offer_pairs(matrix, counterparts, some, others, *rest)

    monkeypatch.setattr(all_pairs, "offer_pairs", watched)
    found = refresh_lists(profiles_of(weights), known, changed, 8, tie_keys=keys)
    assert compared == [([3, 77], 198)]
    assert_known(found, sorted_others(weights, 0, keys), 8)
    # What is known of a list has become shorter where somebody left it and nobody came.
    assert ((found.indices >= 0).sum(axis=1) < 12).any()


def test_where_many_have_changed_all_lists_are_found_anew(monkeypatch):
    monkeypatch.setattr(refresh, "MAX_CHANGED_SHARE", 0.5)
    monkeypatch.setattr(all_pairs, "refresh", lambda *arguments: pytest.fail("it refreshed"))
    rng = np.random.default_rng(6)
    weights = draw_weights(rng, 40, 10, 0.5)
    nothing = KnownLists(np.full((40, 5), -1, np.int32), np.zeros((40, 5)), np.zeros(40, bool))
    keys = keys_of(range(40))
    found = refresh_lists(profiles_of(weights), nothing, np.arange(40) < 21, 3, tie_keys=keys)
    assert_known(found, sorted_others(weights, 0, keys), 5)
    # So they are where half of the lists are too short for what is asked.
    indices, scores = top_k(profiles_of(weights), 5, metric="dot", tie_keys=keys)
    indices[:21, 2:], scores[:21, 2:] = -1, 0
    short = KnownLists(indices, scores, np.zeros(40, bool))
    found = refresh_lists(profiles_of(weights), short, np.zeros(40, bool), 3, tie_keys=keys)
    assert_known(found, sorted_others(weights, 0, keys), 5)


@pytest.mark.parametrize(
    ("min_length", "users", "sentence"),
    [(0, 3, "min_length must be from 1 to 2"), (3, 3, "min_length must be from 1 to 2"), (1, 4, "must be of 3 users")],
)
def test_what_cannot_be_is_refused(min_length, users, sentence):
    known = KnownLists(np.full((3, 2), -1, np.int32), np.zeros((3, 2)), np.zeros(3, bool))
    with pytest.raises(ValueError, match=sentence):
        refresh_lists(profiles_of(np.ones((users, 1))), known, np.zeros(3, bool), min_length, tie_keys=np.arange(users))


def table_of(handles, weights, fingerprints, k, before=None):
    """Make the table of nearest users as a build does, from the one of the build before."""
    rows, columns = np.nonzero(weights)
    long = {"user_number": rows, "feature_id": columns, "weight": weights[rows, columns].astype(float)}
    profiles, texts = Profiles.from_long(long, np.arange(len(handles))), pa.array([str(handle) for handle in handles])
    keys = keys_of(handles.tolist())
    parts = find_candidates(profiles, texts, fingerprints.astype(np.uint64), keys, k, before=before)
    return duckdb.from_arrow(in_parts(parts).read_all())


@settings(parent=SEARCH, max_examples=60)
@given(seed=st.integers(0, 2**32), k=st.integers(1, 6), next_k=st.integers(1, 6))
def test_a_table_made_from_the_one_before_is_that_made_anew(seed, k, next_k):
    rng = np.random.default_rng(seed)
    handles = np.sort(rng.choice(1000, 40, replace=False))
    weights = draw_weights(rng, 40, 8, 0.4)
    table = table_of(handles, weights, fingerprints=handles, k=k)
    # Some leave, some change, some come, who were not there before: their fingerprints are new. The order is another,
    # as when a handle that is text turns all numbers into text.
    come = np.setdiff1d(rng.choice(1000, 3), handles)
    stays = rng.random(40) < 0.9
    handles, weights = handles[stays], weights[stays]
    fingerprints = handles.copy()
    changes = rng.random(len(handles)) < 0.1
    weights[changes] = draw_weights(rng, changes.sum(), 8, 0.4)
    fingerprints[changes] += 5000
    order = rng.permutation(len(handles) + len(come))
    handles = np.concatenate([handles, come])[order]
    weights = np.vstack([weights, draw_weights(rng, len(come), 8, 0.4)])[order]
    fingerprints = np.concatenate([fingerprints, come])[order]

    refreshed = table_of(handles, weights, fingerprints, next_k, before=table).fetchall()
    anew = table_of(handles, weights, fingerprints, next_k).fetchall()
    for (number, handle, near, scores, is_complete, crowding, *rest), whole in zip(refreshed, anew, strict=True):
        assert (number, handle, *rest) == (whole[0], whole[1], *whole[6:])
        assert len(near) < 10 or crowding == whole[5]
        assert near == whole[2][: len(near)]
        assert scores == whole[3][: len(near)]
        assert len(near) >= min(next_k, len(whole[2]))
        assert not is_complete or (whole[4] and near == whole[2])


@pytest.mark.parametrize("columns", ["", ", is_complete, neighbourhood_similarity, profile_fingerprint"])
def test_a_table_of_an_older_version_is_made_anew(columns):
    handles = np.arange(5, 25)
    weights = draw_weights(np.random.default_rng(7), 20, 6, 0.5)
    anew = table_of(handles, weights, handles, 3)
    # Its lists may be in an order of their own.
    old = anew.select(
        "user_number as user_handle, list_reverse(candidate_numbers) as candidate_handles,"
        f" list_reverse(scores) as scores{columns}"
    )
    assert table_of(handles, weights, handles, 3, before=old).fetchall() == anew.fetchall()
