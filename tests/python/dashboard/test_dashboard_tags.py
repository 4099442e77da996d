"""The page Tags: how spellings became subjects."""

import csv

import pytest
from changed_warehouse import changed, emptied
from dashboard_app import page_of
from project import rows_of

from kindred.warehouse.reading import open_file


@pytest.fixture(scope="module")
def tag_map(warehouse):
    """Return (raw_tag, vocabulary, canonical_tag, method, score) of every spelling."""
    with open_file(warehouse) as connection:
        return rows_of(connection, "select raw_tag, vocabulary, canonical_tag, method, score from tag_map")


@pytest.fixture(scope="module")
def merge(tag_map):
    """Return an alias, a merge that the letters of the two names do not suggest."""
    return next(row for row in sorted(tag_map) if row[3] == "alias")


def shown_table(app, *columns):
    """Return the only table of a page that has these columns, and may have others."""
    found = [table.value for table in app.dataframe if set(columns) <= set(table.value.columns)]
    assert len(found) == 1, [list(table.value.columns) for table in app.dataframe]
    return found[0]


def merges_of(app):
    return shown_table(app, "raw_tag", "canonical_tag")


def test_spellings_subjects_and_merges_are_counted(warehouse, tag_map, monkeypatch):
    app = page_of("tags", warehouse, monkeypatch)
    assert not app.exception
    vocabularies = {}
    for _, vocabulary, subject, *_ in tag_map:
        vocabularies.setdefault(subject, set()).add(vocabulary)
    assert {metric.label: metric.value for metric in app.metric} == {
        "Spellings": f"{len({row[0] for row in tag_map}):,}",
        "Subjects": f"{len(vocabularies):,}",
        "Merged spellings": f"{len({row[0] for row in tag_map if row[0] != row[2]}):,}",
        "Shared subjects": f"{sum(len(found) > 1 for found in vocabularies.values()):,}",
    }


def test_all_merges_are_listed_the_least_safe_first(warehouse, tag_map, monkeypatch):
    shown = merges_of(page_of("tags", warehouse, monkeypatch))
    merged = {row for row in tag_map if row[0] != row[2]}
    assert len(shown) == len(merged) > 10
    columns = ["raw_tag", "vocabulary", "canonical_tag", "method", "score"]
    assert set(shown[columns].itertuples(index=False, name=None)) == merged
    assert list(shown["score"]) == sorted(shown["score"])


def test_every_rule_that_merged_is_given_in_words(warehouse, tag_map, monkeypatch):
    app = page_of("tags", warehouse, monkeypatch)
    said = "\n".join(element.value for element in app.markdown)
    for method in {row[3] for row in tag_map} - {"identical"}:
        assert f"- **{method}**: the spelling " in said


def test_search_vocabulary_and_rule_in_the_url_filter_the_merges(warehouse, tag_map, merge, monkeypatch):
    raw_tag, vocabulary, _, method, _ = merge
    part = raw_tag[:3].upper()
    app = page_of("tags", warehouse, monkeypatch, search=part, vocabulary=vocabulary, method=method)
    assert not app.exception
    shown = next(table.value for table in app.dataframe if {"raw_tag", "canonical_tag"} <= set(table.value.columns))
    expected = {
        row[0]
        for row in tag_map
        if row[1] == vocabulary and row[3] == method and (part in row[0].upper() or part in row[2].upper())
    }
    assert raw_tag in expected
    assert set(shown["raw_tag"]) == expected


def test_a_search_finds_subjects_by_any_spelling(warehouse, merge, monkeypatch):
    raw_tag, _, subject, _, _ = merge
    found = shown_table(page_of("tags", warehouse, monkeypatch, search=raw_tag), "total_spellings")
    assert subject in set(found["canonical_tag"])


def test_a_subject_is_shown_with_spellings_links_and_counts(warehouse, tag_map, monkeypatch):
    with open_file(warehouse) as connection:
        ((subject,),) = rows_of(
            connection, "select tag from tag_links group by tag order by count(*) desc, tag limit 1"
        )
        links = rows_of(connection, f"select other_tag, reason from tag_links where tag = '{subject}'")
        ((courses,),) = rows_of(
            connection, f"select count(*) from courses where list_contains(course_tags, '{subject}')"
        )
        ((viewers,),) = rows_of(
            connection, f"select count(*) from user_features where facet = 'course_tags' and feature = '{subject}'"
        )
    app = page_of("tags", warehouse, monkeypatch, tag=subject)
    assert not app.exception
    assert [header.value for header in app.header] == [subject.replace("-", "\\-")]
    related = shown_table(app, "other_tag")
    assert sorted(related[["other_tag", "reason"]].itertuples(index=False, name=None)) == sorted(links)
    spellings = [table.value for table in app.dataframe if list(table.value.columns)[:2] == ["raw_tag", "vocabulary"]]
    assert set(spellings[0]["raw_tag"]) == {row[0] for row in tag_map if row[2] == subject}
    values = {metric.label: metric.value for metric in app.metric}
    assert (values["Courses"], values["Viewers"]) == (f"{courses:,}", f"{viewers:,}")


def test_the_lines_to_copy_are_lines_of_the_seed(warehouse, merge, monkeypatch, pytestconfig):
    raw_tag, _, subject, _, _ = merge
    app = page_of("tags", warehouse, monkeypatch, tag=subject)
    header = (pytestconfig.rootpath / "seeds" / "tag_overrides.csv").read_text().splitlines()[0]
    lines = [code.value for code in app.code if code.value.startswith(("separate,", "merge,"))]
    read = list(csv.DictReader([header, *lines]))
    assert {
        "action": "separate",
        "tag": raw_tag,
        "vocabulary": "",
        "other_tag": subject,
        "other_vocabulary": "",
        "reason": "why",
    } in read
    assert read[-1]["action"] == "merge"
    assert read[-1]["other_tag"] == subject


def test_a_tag_with_a_comma_stays_one_value_of_its_line(warehouse, merge, tmp_path, monkeypatch):
    raw_tag, _, subject, _, _ = merge
    odd = 'one, "two"'
    copy = changed(
        warehouse,
        tmp_path,
        f"update tag_map set raw_tag = '{odd}' where raw_tag = '{raw_tag}'",
    )
    app = page_of("tags", copy, monkeypatch, tag=subject)
    lines = [code.value for code in app.code if code.value.startswith("separate,")]
    assert odd in [row[1] for row in csv.reader(lines)]


def test_a_subject_that_is_named_after_its_vocabulary_is_written_as_delivered(warehouse, tmp_path, monkeypatch):
    copy = changed(
        warehouse,
        tmp_path,
        "insert into tags select 'go (course)', columns(* exclude canonical_tag) from tags limit 1",
        "insert into tag_map (raw_tag, vocabulary, canonical_tag, method, score) "
        "values ('go', 'course', 'go (course)', 'override', 1), ('goo', 'course', 'go (course)', 'misspelling', .8)",
    )
    app = page_of("tags", copy, monkeypatch, tag="go (course)")
    assert not app.exception
    lines = [code.value for code in app.code if code.value.startswith(("separate,", "merge,"))]
    assert lines == ["separate,goo,,go,course,why", "merge,another-tag,,go,course,why"]


def test_unknown_values_in_the_url_are_ignored(warehouse, tag_map, monkeypatch):
    app = page_of("tags", warehouse, monkeypatch, tag="no such tag", method="magic", vocabulary="book")
    assert not app.exception
    assert not app.header
    assert len(merges_of(app)) == len([row for row in tag_map if row[0] != row[2]])


def test_a_search_without_a_result_says_so(warehouse, monkeypatch):
    app = page_of("tags", warehouse, monkeypatch, search="%_' or 1=1")
    assert not app.exception
    assert [info.value for info in app.info] == ["No merged spelling matches.", "No subject matches."]


def test_without_tags_it_says_so(warehouse, tmp_path, monkeypatch):
    app = page_of("tags", emptied(warehouse, tmp_path), monkeypatch)
    assert not app.exception
    assert [info.value for info in app.info] == ["No input file has a tag."]
