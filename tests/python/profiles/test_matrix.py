"""Profiles from long tables."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindred.build import tables
from kindred.profiles.matrix import Profiles

COLUMNS = {
    "user_number": np.array([30, 10, 30, 20]),
    "feature_id": np.array([7_000_000_002, 1_000_000_009, 1_000_000_001, 1_000_000_009]),
    "weight": np.array([0.5, 2.0, 1.5, 3.0]),
}


def test_rows_and_columns_are_in_rising_order_whatever_that_of_the_table():
    shuffled = {name: values[[2, 0, 3, 1]] for name, values in COLUMNS.items()}
    for columns in (COLUMNS, shuffled):
        profiles = Profiles.from_long(columns)
        assert profiles.users.tolist() == [10, 20, 30]
        assert profiles.features.tolist() == [1_000_000_001, 1_000_000_009, 7_000_000_002]
        assert profiles.matrix.toarray().tolist() == [[0, 2, 0], [0, 3, 0], [1.5, 0, 0.5]]
        assert profiles.matrix.dtype == np.float64
        assert profiles.matrix.has_canonical_format


def test_users_without_features_get_an_empty_row():
    profiles = Profiles.from_long(COLUMNS, users=np.array([5, 10, 20, 25, 30, 40]))
    assert profiles.users.tolist() == [5, 10, 20, 25, 30, 40]
    assert profiles.matrix.shape == (6, 3)
    assert np.diff(profiles.matrix.indptr).tolist() == [0, 1, 1, 0, 2, 0]
    assert profiles.matrix.toarray()[4].tolist() == [1.5, 0, 0.5]


@pytest.mark.parametrize("users", [[10, 20], [20, 30], [10, 30], [10, 20, 29, 31], []])
def test_a_user_that_has_no_row_is_refused(users):
    with pytest.raises(ValueError, match="names a user that has no row"):
        Profiles.from_long(COLUMNS, users=np.array(users, dtype=np.int64))


def test_weights_are_1_where_there_are_none():
    profiles = Profiles.from_long({name: COLUMNS[name] for name in ("user_number", "feature_id")})
    assert profiles.matrix.toarray().tolist() == [[0, 1, 0], [0, 1, 0], [1, 0, 1]]


@pytest.mark.parametrize("users", [None, [], [1, 2]])
def test_an_empty_table_gives_empty_profiles(users):
    # An empty list is float64 to numpy: what comes from an empty table must still index.
    profiles = Profiles.from_long({"user_number": [], "feature_id": [], "weight": []}, users)
    count = len(users or [])
    assert profiles.matrix.shape == (count, 0)
    assert profiles.users.dtype == profiles.features.dtype == np.int64
    assert len(profiles.users) == count


# --- read from a table, part by part -----------------------------------------------------------------------


def table_of(columns):
    """Return the columns as a DuckDB table."""
    kinds = {name: pa.float64() if name == "weight" else pa.int64() for name in columns}
    return duckdb.from_arrow(pa.table({name: pa.array(values, kinds[name]) for name, values in columns.items()}))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(seed=st.integers(0, 2**32), has_matches=st.booleans(), has_weights=st.booleans())
def test_profiles_that_are_read_are_those_of_the_long_table(seed, has_matches, has_weights):
    rng = np.random.default_rng(seed)
    rows, places = np.nonzero(rng.random((rng.integers(0, 12), rng.integers(0, 9))) < 0.4)
    order = rng.permutation(len(rows))
    columns = {"user_number": rows[order] * 3 + 5, "feature_id": places[order] * 7 + 1}
    if has_matches:
        columns["matching_feature_id"] = (8 - places[order]) * 7 + 1
    if has_weights:
        columns["weight"] = rng.random(len(rows))
    users = np.arange(13) * 3 + 5
    expected = Profiles.from_long(columns, users)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "PART_ROWS", 5)
        found = Profiles.read(table_of(columns), users)
    for name in ("users", "features", "matching_features"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == np.int64
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(found.matrix, name), getattr(expected.matrix, name))
    assert found.matrix.shape == expected.matrix.shape
    assert found.matrix.has_canonical_format
    assert found.matrix.indices.dtype == np.int32


@pytest.mark.parametrize("users", [[10, 20], [20, 30], [10, 30], [10, 20, 29, 31], []])
def test_a_user_in_the_table_that_has_no_row_is_refused(users):
    with pytest.raises(ValueError, match="names a user that has no row"):
        Profiles.read(table_of(COLUMNS), np.array(users, dtype=np.int64))


# --- what meets what ---------------------------------------------------------------------------------------


@st.composite
def matching_tables(draw):
    """Draw a long table in which features meet themselves, each other, or a feature that nobody has."""
    ids = draw(st.permutations(range(1, 9)))
    pairs = draw(st.integers(0, 4))
    match = {feature: feature for feature in ids}
    for one, other in zip(ids[:pairs], ids[pairs : 2 * pairs], strict=True):
        match |= {one: other, other: one}
    cells = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 8)), unique=True))
    return [(user, feature, match[feature], draw(st.integers(1, 3))) for user, feature in cells]


@settings(deadline=None, max_examples=150, derandomize=True)
@given(table=matching_tables())
def test_counterparts_hold_what_the_user_has_of_the_matching_feature(table):
    names = ("user_number", "feature_id", "matching_feature_id", "weight")
    columns = {name: np.array([row[place] for row in table]) for place, name in enumerate(names)}
    profiles = Profiles.from_long(columns, users=np.arange(1, 5))
    match = {feature: other for _, feature, other, _ in table}
    weights = {(user, feature): weight for user, feature, _, weight in table}
    assert profiles.features.tolist() == sorted(match)
    assert profiles.matching_features.tolist() == [match[feature] for feature in sorted(match)]
    assert profiles.counterparts.shape == profiles.matrix.shape
    assert profiles.counterparts.toarray().tolist() == [
        [weights.get((user, match[feature]), 0) for feature in sorted(match)] for user in range(1, 5)
    ]


def test_features_meet_themselves_where_the_table_says_nothing_else():
    profiles = Profiles.from_long(COLUMNS)
    assert profiles.matching_features.tolist() == profiles.features.tolist()
    assert profiles.counterparts is profiles.matrix
    as_said = Profiles.from_long({**COLUMNS, "matching_feature_id": COLUMNS["feature_id"]})
    assert as_said.counterparts is as_said.matrix


def test_a_match_beyond_all_features_is_found_nowhere():
    profiles = Profiles.from_long({**COLUMNS, "matching_feature_id": np.full(4, 9_000_000_000)})
    assert profiles.counterparts.toarray().tolist() == [[0, 0, 0]] * 3


def test_an_empty_table_has_empty_counterparts():
    empty = {"user_number": [], "feature_id": [], "matching_feature_id": [], "weight": []}
    assert Profiles.from_long(empty, [1, 2]).counterparts.shape == (2, 0)
