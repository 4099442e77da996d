"""Terms that are posted are cleaned as the macro clean_text cleans what is delivered."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindred.fold_in.spelling import BLANKS, cleaned

TEXTS = st.text(st.sampled_from("aé e\u0301o\u0308K\u212b" + BLANKS), max_size=8)


def composed_by_duckdb(texts):
    """Return the texts in NFC, as DuckDB composes them, without BLANKS around them."""
    query = "select nullif(trim(nfc_normalize(unnest(?::varchar[])), ?), '')"
    return [text for (text,) in duckdb.execute(query, [texts, BLANKS]).fetchall() if text is not None]


@given(texts=st.lists(TEXTS, max_size=6))
def test_terms_are_composed_and_have_no_blanks_around_them(texts):
    assert list(cleaned(dict.fromkeys(texts))) == list(dict.fromkeys(composed_by_duckdb(texts)))


@pytest.mark.parametrize("raw", ["cafe\u0301", "\u3000caf\u00e9\u200b", "\ufeffcaf\u00e9\u00a0\r\n"])
def test_texts_that_look_the_same_are_the_same(raw):
    assert cleaned({raw: 1}) == {"caf\u00e9": 1}


def test_the_value_of_the_last_of_equal_terms_counts():
    assert cleaned({"go": 1, " go": 2, "\u200b": 3}) == {"go": 2}
