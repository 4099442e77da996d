"""The synthetic platform: its traits, its determinism, and how its files are written."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner

from kindred.cli import main
from kindred.sample import files
from kindred.sample.catalogue import Catalogue
from kindred.sample.draws import WeightedGroups
from kindred.sample.platform import LEVELS
from kindred.sample.vocabulary import PLANTED_VARIANTS, SUBJECTS, TOPICS, TRAPS, VOCABULARIES

SMALL, LARGE = 2_000, 12_000  # LARGE spans two chunks
SIZES = (SMALL, LARGE)
SEEDS = Path(__file__).parents[3] / "seeds"


@pytest.fixture(scope="module")
def arrow_tables():
    return {users: files.tables(users, seed=1) for users in SIZES}


@pytest.fixture(scope="module", params=SIZES)
def users(request):
    return request.param


@pytest.fixture(scope="module")
def frames(arrow_tables, users):
    return {name: table.to_pandas() for name, table in arrow_tables[users].items()}


@pytest.fixture(scope="module")
def small_frames(arrow_tables):
    return {name: table.to_pandas() for name, table in arrow_tables[SMALL].items()}


def quantiles(counts, *probabilities):
    return [float(value) for value in counts.quantile(list(probabilities))]


def topic_of(vocabulary):
    return {getattr(s, vocabulary): s.topic for s in SUBJECTS if getattr(s, vocabulary)}


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run(*arguments):
    return CliRunner().invoke(main, ["sample", *map(str, arguments)])


# --- determinism -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", files.FILE_FORMATS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path, file_format):
    for folder, seed in (("first", 5), ("again", 5), ("other", 6)):
        files.write(300, seed, tmp_path / folder, file_format, tmp_path / folder / "truth.csv")
    first, again, other = (contents(tmp_path / folder) for folder in ("first", "again", "other"))
    assert first == again
    assert len(first) == 5
    assert all(first[name] != other[name] for name in first)


def test_the_sample_in_the_repository_is_that_of_the_generator(tmp_path):
    files.write(SMALL, 1, tmp_path, "csv")
    for name, content in contents(tmp_path).items():
        assert (SEEDS / name).read_bytes() == content, name


def test_a_full_chunk_does_not_depend_on_the_users_after_it(arrow_tables):
    one_chunk = files.tables(files.CHUNK_USERS, seed=1)
    for name in ("user_assessment_scores", "user_interests", "truth"):
        larger = arrow_tables[LARGE][name]
        expected = larger.filter(pa.compute.less_equal(larger["user_handle"], files.CHUNK_USERS))
        assert one_chunk[name].equals(expected), name


def test_chunks_differ_from_each_other(arrow_tables):
    dominant = arrow_tables[LARGE]["truth"].to_pandas().groupby("user_handle").topic.first().to_numpy()
    second = dominant[files.CHUNK_USERS :]
    assert (dominant[: len(second)] == second).mean() < 0.2


def test_handles_run_from_one_to_the_number_of_users(frames, users):
    assert list(frames["truth"].user_handle.unique()) == list(range(1, users + 1))
    assert frames["user_course_views"].user_handle.is_monotonic_increasing


# --- formats -----------------------------------------------------------------------------------------------


def test_csv_and_parquet_hold_the_same_rows(tmp_path):
    files.write(400, 3, tmp_path / "csv", "csv")
    files.write(400, 3, tmp_path / "parquet", "parquet")
    for name in files.FILE_NAMES:
        parquet = pa.parquet.read_table(tmp_path / "parquet" / f"{name}.parquet")
        convert = pa.csv.ConvertOptions(column_types=parquet.schema, strings_can_be_null=True, null_values=[""])
        assert parquet.schema == files.SCHEMAS[name]
        assert pa.csv.read_csv(tmp_path / "csv" / f"{name}.csv", convert_options=convert).equals(parquet)


@pytest.mark.parametrize(
    ("handles", "pattern"), [("uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), ("email", r".+@.+[.].+")]
)
def test_text_handles_name_the_same_platform(tmp_path, handles, pattern):
    """Every number of a user becomes one text and every number of an author one name, and nothing else changes."""
    run("--users", 120, "--out", tmp_path / "number", "--truth", tmp_path / "number" / "truth.csv")
    run("--users", 120, "--out", tmp_path / handles, "--truth", tmp_path / handles / "truth.csv", "--handles", handles)
    renamed = {"user_handle": {}, "author_handle": {}}
    for name in (*files.FILE_NAMES, "truth"):
        numbers, texts = (pd.read_csv(tmp_path / form / f"{name}.csv", dtype=str) for form in ("number", handles))
        for column in renamed.keys() & set(numbers):
            for number, text in zip(numbers[column], texts[column], strict=True):
                assert renamed[column].setdefault(number, text) == text
        others = [column for column in numbers if column not in renamed]
        pd.testing.assert_frame_equal(numbers[others], texts[others])
    for of_column in renamed.values():
        assert len(set(of_column.values())) == len(of_column) > 40
    assert all(re.fullmatch(pattern, text) for text in renamed["user_handle"].values())
    assert all(re.fullmatch(r"[^0-9]+( [0-9]+)?", name) for name in renamed["author_handle"].values())


def test_csv_lines_look_like_the_platforms_own(tmp_path):
    files.write(400, 3, tmp_path, "csv", tmp_path / "truth.csv")
    second = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    expected = {
        "course_tags": ('"course_id","course_tags"', r'"[a-z0-9-]+",("[^",]+")?'),
        "user_assessment_scores": (
            '"user_handle","assessment_tag","user_assessment_date","user_assessment_score"',
            rf'\d+,"[^",]+",{second},\d+',
        ),
        "user_course_views": (
            '"user_handle","view_date","course_id","author_handle","level","view_time_seconds"',
            r'\d+,\d{4}-\d\d-\d\d,"[a-z0-9-]+",\d+,"(Beginner|Intermediate|Advanced)",\d+',
        ),
        "user_interests": ('"user_handle","interest_tag","date_followed"', rf'\d+,"[^",]+",{second}'),
        "truth": ('"user_handle","topic","share"', r'\d+,"[a-z0-9-]+",(1|0\.\d+)'),
    }
    for name, (header, line) in expected.items():
        lines = (tmp_path / f"{name}.csv").read_text().splitlines()
        assert lines[0] == header
        assert [text for text in lines[1:] if not re.fullmatch(line, text)] == []


def test_the_2000_user_sample_is_small_enough_for_a_repository(tmp_path):
    files.write(SMALL, 1, tmp_path, "csv")
    assert max(path.stat().st_size for path in tmp_path.iterdir()) < 2_900_000


def test_tables_and_generate_agree_with_what_is_written(tmp_path, arrow_tables):
    rows = files.write(LARGE, 1, tmp_path, "parquet", tmp_path / "truth.csv")
    assert rows == {name: table.num_rows for name, table in arrow_tables[LARGE].items()}
    for name in files.FILE_NAMES:
        assert pa.parquet.read_table(tmp_path / f"{name}.parquet").equals(arrow_tables[LARGE][name])
    assert sum(chunk.users for chunk in files.generate(LARGE, 1)) == LARGE


# --- traits: activity --------------------------------------------------------------------------------------


def test_viewing_is_heavy_tailed(frames, users):
    views = frames["user_course_views"]
    assert 1 - views.user_handle.nunique() / users == pytest.approx(0.12, abs=0.025)
    courses = views.groupby("user_handle").course_id.nunique()
    assert quantiles(courses, 0.10, 0.25, 0.50) == [1, 2, 5]
    assert quantiles(courses, 0.75, 0.90, 0.99) == pytest.approx([14, 28, 95], rel=0.25)
    assert 120 < courses.max() <= 480


def test_pairs_of_user_and_course_repeat(frames):
    rows = (
        frames["user_course_views"]
        .groupby(["user_handle", "course_id"])
        .agg(rows=("view_date", "size"), days=("view_date", "nunique"))
    )
    assert quantiles(rows.rows, 0.50, 0.75, 0.90) == [1, 2, 4]
    assert quantiles(rows.rows, 0.99)[0] == pytest.approx(15, abs=3)
    repeated = rows[rows.rows > 1]
    assert 0.2 < (repeated.days == 1).mean() < 0.5  # some the same day, some on others


def test_interests_have_the_quantiles_of_the_original(frames, users):
    interests = frames["user_interests"]
    followed = interests.groupby("user_handle").interest_tag.nunique()
    assert len(followed) == users
    assert quantiles(followed, 0.10, 0.25, 0.50) == pytest.approx([1, 5, 12], abs=1)
    assert quantiles(followed, 0.75, 0.90, 0.99) == pytest.approx([24, 47, 139], rel=0.2)


def test_interests_repeat_exactly_and_on_later_dates(frames):
    interests = frames["user_interests"]
    assert interests.duplicated().mean() == pytest.approx(0.07, abs=0.01)
    distinct = interests.drop_duplicates()
    pairs = len(distinct.drop_duplicates(["user_handle", "interest_tag"]))
    assert pairs / len(interests) == pytest.approx(0.70, abs=0.03)


def test_interests_are_followed_in_whole_groups(frames, users):
    clicks = (
        frames["user_interests"]
        .drop_duplicates()
        .groupby(["user_handle", "date_followed"])
        .interest_tag.agg(["size", "sum", lambda tags: "|".join(tags)])
    )
    clicks.columns = ["size", "joined", "tags"]
    groups = clicks[clicks["size"] > 1]
    assert groups["size"].between(5, 25).mean() > 0.999
    per_user = groups.groupby("user_handle").size().reindex(range(1, users + 1), fill_value=0)
    assert per_user.between(1, 3).mean() > 0.5
    # The same groups come back, user after user: there are few of them.
    assert groups.tags.nunique() < 320
    # Nearly everything a user with many interests follows comes from them.
    assert groups["size"].sum() / clicks["size"].sum() > 0.8


def test_assessments_are_few_and_scores_normal_around_130(frames, users):
    scores = frames["user_assessment_scores"]
    assert scores.user_handle.nunique() / users == pytest.approx(0.31, abs=0.025)
    taken = scores.groupby("user_handle").assessment_tag.nunique()
    assert quantiles(taken, 0.25, 0.50, 0.75) == [1, 1, 3]
    assert quantiles(taken, 0.99)[0] == pytest.approx(9, abs=1.5)
    values = scores.user_assessment_score
    assert values.mean() == pytest.approx(130, abs=6)
    assert values.std() == pytest.approx(42, abs=5)
    assert abs(values.skew()) < 0.2
    assert values.between(0, 298).all()


def test_view_times(frames):
    seconds = frames["user_course_views"].view_time_seconds
    assert quantiles(seconds, 0.10, 0.25, 0.50, 0.75, 0.90) == pytest.approx([107, 266, 735, 2018, 5062], rel=0.08)
    assert seconds.min() >= 1
    assert seconds.max() == 18_000


def test_dates_fill_the_window_and_nothing_else(frames):
    dates = {
        "user_course_views": "view_date",
        "user_interests": "date_followed",
        "user_assessment_scores": "user_assessment_date",
    }
    for name, column in dates.items():
        days = pd.to_datetime(frames[name][column]).dt.normalize()
        assert days.min() >= pd.Timestamp("2017-05-01")
        assert days.max() <= pd.Timestamp("2017-11-28")
        assert days.nunique() > 200


def test_a_users_views_stay_near_each_other(frames):
    views = frames["user_course_views"]
    day = pd.Series(pd.to_datetime(views.view_date).to_numpy().astype("datetime64[D]").astype(int))
    from_median = (day - day.groupby(views.user_handle).transform("median")).abs()
    assert from_median.median() < 25  # 53 if dates were drawn from the whole window


def test_following_a_first_interest_is_part_of_joining(frames):
    joined = frames["user_interests"].groupby("user_handle").date_followed.min()
    views = pd.to_datetime(frames["user_course_views"].groupby("user_handle").view_date.min())
    scores = frames["user_assessment_scores"].groupby("user_handle").user_assessment_date.min()
    assert (views >= joined[views.index].dt.normalize()).all()
    assert (scores >= joined[scores.index]).all()


# --- traits: the catalogue ---------------------------------------------------------------------------------


def test_courses_and_authors_grow_slower_than_users(arrow_tables):
    def counts(users):
        tables = arrow_tables[users]
        authors = tables["user_course_views"]["author_handle"]
        return len(tables["course_tags"]["course_id"].unique()), len(authors.unique())

    (few_courses, few_authors), (many_courses, many_authors) = counts(SMALL), counts(LARGE)
    assert 1_500 <= few_courses <= 2_000
    assert 5_900 <= many_courses <= 7_500
    assert 300 <= few_authors <= 500
    assert 1_300 <= many_authors <= 1_800
    assert many_courses / few_courses < 0.8 * LARGE / SMALL


@pytest.mark.parametrize(("users", "courses"), [(1, 260), (10_000, 5_900), (10**6, 19_533), (10**9, 20_000)])
def test_the_catalogue_has_a_minimum_and_a_maximum_size(users, courses):
    first = next(files.generate(users, 1))
    assert len(first.tables["course_tags"]["course_id"].unique()) == courses


def test_a_topic_without_courses_of_a_level_offers_those_it_has():
    topics = np.arange(len(TOPICS))
    advanced_only = WeightedGroups(topics * len(LEVELS) + 2, topics, np.ones(len(TOPICS)), len(TOPICS) * len(LEVELS))
    catalogue = Catalogue(pa.array([]), topics, topics, topics, pa.table({}), advanced_only, advanced_only)
    beginner = np.zeros_like(topics)
    assert list(catalogue.draw(np.random.default_rng(0), topics, beginner)) == list(topics)


def test_a_few_courses_are_viewed_by_many(frames):
    viewers = frames["user_course_views"].groupby("course_id").user_handle.nunique()
    low, median, high = quantiles(viewers, 0.25, 0.50, 0.75)
    assert low == pytest.approx(3, abs=1)
    assert median == pytest.approx(7, abs=2)
    assert high == pytest.approx(17, abs=4)
    assert viewers.max() > 30 * median


def test_course_tags_per_course(frames):
    tags = frames["course_tags"]
    courses = tags.course_id.nunique()
    assert not tags.duplicated().any()
    untagged = tags[tags.course_tags.isna()]
    assert len(untagged) == round(0.02 * courses)
    assert not set(untagged.course_id) & set(tags[tags.course_tags.notna()].course_id)
    per_course = tags.dropna().groupby("course_id").size()
    assert quantiles(per_course, 0.25, 0.50, 0.75) == [1, 1, 2]
    assert per_course.mean() == pytest.approx(1.9, abs=0.1)
    assert 6 <= per_course.max() <= 8


def test_author_and_level_are_properties_of_a_course(frames):
    views = frames["user_course_views"]
    assert (views.groupby("course_id")[["author_handle", "level"]].nunique() == 1).all(axis=None)
    assert set(views.course_id) <= set(frames["course_tags"].course_id)
    courses = views.drop_duplicates("course_id")
    for rows in (views, courses):
        shares = rows.level.value_counts(normalize=True)
        assert shares[["Beginner", "Intermediate", "Advanced"]].tolist() == pytest.approx([0.39, 0.46, 0.15], abs=0.035)
    per_author = courses.groupby("author_handle").size()
    assert quantiles(per_author, 0.25, 0.50, 0.75) == pytest.approx([1, 2, 5], abs=1)
    assert 35 < per_author.max() <= 72


def test_users_lean_to_a_level(frames):
    views = frames["user_course_views"].drop_duplicates(["user_handle", "course_id"])
    by_user = pd.crosstab(views.user_handle, views.level)
    by_user = by_user[by_user.sum(axis=1) >= 10]
    top_share = (by_user.max(axis=1) / by_user.sum(axis=1)).mean()
    rng = np.random.default_rng(0)
    shuffled = pd.crosstab(views.user_handle, rng.permutation(views.level.to_numpy())).loc[by_user.index]
    assert top_share > (shuffled.max(axis=1) / shuffled.sum(axis=1)).mean() + 0.08


# --- topics drive behaviour --------------------------------------------------------------------------------


def course_topics(frames):
    tags = frames["course_tags"].dropna()
    return tags.course_tags.map(topic_of("course")).groupby(tags.course_id).agg(lambda topics: topics.mode()[0])


def own_share(rows, truth):
    """Return the share of rows (user_handle, topic) in the user's own topics, and that after a shuffle."""
    own = set(zip(truth.user_handle, truth.topic, strict=True))

    def share(handles):
        return np.mean([pair in own for pair in zip(handles, rows.topic, strict=True)])

    return share(rows.user_handle), share(np.random.default_rng(0).permutation(rows.user_handle))


def test_truth_is_one_to_four_topics_with_shares_that_sum_to_one(frames):
    truth = frames["truth"]
    by_user = truth.groupby("user_handle")
    assert by_user.size().between(1, 4).all()
    assert set(by_user.size()) == {1, 2, 3, 4}
    assert not truth.duplicated(["user_handle", "topic"]).any()
    assert by_user.share.sum().to_numpy() == pytest.approx(1, abs=1e-9)
    assert truth.share.min() > 0
    assert by_user.share.max().median() > 0.6
    assert set(truth.topic) == set(TOPICS)
    assert len(TOPICS) >= 24


def test_users_view_courses_of_their_topics(frames):
    views = frames["user_course_views"].drop_duplicates(["user_handle", "course_id"])
    rows = views.assign(topic=views.course_id.map(course_topics(frames))).dropna(subset="topic")
    own, chance = own_share(rows, frames["truth"])
    assert own > 0.7
    assert chance < 0.2
    assert own < 0.97  # a little noise


def test_users_stay_longer_with_courses_of_their_topics(frames):
    views = frames["user_course_views"]
    rows = views.assign(topic=views.course_id.map(course_topics(frames))).dropna(subset="topic")
    truth = frames["truth"].assign(is_own=True)
    is_own = rows.merge(truth, how="left", on=["user_handle", "topic"]).is_own.notna().to_numpy()
    assert min(is_own.sum(), (~is_own).sum()) > 1_000
    own, other = rows.view_time_seconds[is_own], rows.view_time_seconds[~is_own]
    # A fifth, but some courses belong to a user's topic by a tag that is not their main one.
    for quantile in (0.25, 0.50, 0.75):
        assert 0.15 * own.quantile(quantile) < other.quantile(quantile) < 0.45 * own.quantile(quantile)


def test_users_follow_interests_of_their_topics(frames):
    interests = frames["user_interests"].drop_duplicates(["user_handle", "interest_tag"])
    rows = interests.assign(topic=interests.interest_tag.map(topic_of("interest")))
    own, chance = own_share(rows, frames["truth"])
    assert own > 0.55
    assert chance < 0.2


def test_scores_rise_with_the_users_share_in_the_topic(frames):
    scores = frames["user_assessment_scores"]
    rows = scores.assign(topic=scores.assessment_tag.map(topic_of("assessment")))
    own, chance = own_share(rows, frames["truth"])
    assert own > 0.6
    assert chance < 0.2
    share = rows.merge(frames["truth"], how="left", on=["user_handle", "topic"]).share.fillna(0)
    strong, weak = rows.user_assessment_score[share > 0.6], rows.user_assessment_score[share < 0.2]
    assert strong.mean() > weak.mean() + 20


def test_authors_specialise(frames):
    courses = frames["user_course_views"].drop_duplicates("course_id")
    topics = courses.course_id.map(course_topics(frames)).dropna()
    by_author = topics.groupby(courses.author_handle).agg(
        courses="size", first=lambda of_author: of_author.value_counts(normalize=True).iloc[0]
    )
    prolific = by_author[by_author.courses >= 5]
    assert prolific["first"].mean() > 0.8  # 0.3 if authors got courses at random


# --- the vocabularies --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tags_in_use(small_frames):
    return {
        "course": set(small_frames["course_tags"].course_tags.dropna()),
        "interest": set(small_frames["user_interests"].interest_tag),
        "assessment": set(small_frames["user_assessment_scores"].assessment_tag),
    }


def test_every_planted_variant_and_trap_occurs_in_the_small_sample(tags_in_use):
    planted = {pair for group in (*PLANTED_VARIANTS, *TRAPS) for pair in group}
    assert {(tag, vocabulary) for tag, vocabulary in planted if tag not in tags_in_use[vocabulary]} == set()


def test_the_small_sample_uses_part_of_the_vocabularies(tags_in_use):
    assert 500 <= len(tags_in_use["interest"]) <= 900
    assert 600 <= len(tags_in_use["course"]) <= 1_000
    assert len(tags_in_use["course"]) < sum(subject.course is not None for subject in SUBJECTS) - 50
    assert len(tags_in_use["assessment"]) == 54


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_tag_names_one_subject_in_its_vocabulary_and_every_topic_has_some(vocabulary):
    tags = [getattr(subject, vocabulary) for subject in SUBJECTS if getattr(subject, vocabulary)]
    assert len(tags) == len(set(tags))
    assert {subject.topic for subject in SUBJECTS if getattr(subject, vocabulary)} == set(TOPICS)


def test_the_same_tag_in_two_vocabularies_is_the_same_subject():
    subject_of = {}
    for subject in SUBJECTS:
        for tag, _ in subject.spellings():
            assert subject_of.setdefault(tag, subject) is subject


@pytest.mark.parametrize(
    "spellings",
    [
        {"c#", "c-sharp", "csharp"},
        {"c++", "c-plus-plus", "cpp"},
        {"node.js", "node-js", "nodejs"},
        {"angular.js", "angular-js"},
        {".net", "dotnet"},
        {"asp.net-mvc", "aspdotnet-mvc"},
        {"microsoft-office", "using-microsoft-office-2016"},
        {"sql-server-2016", "sql-server"},
        {"html5", "html"},
        {"python", "python-3"},
        {"solidworks", "solidworks-core-skills"},
        {"tfs", "Team-Foundation-Server"},
        {"firewall", "firewalls"},
        {"user-story", "user-stories"},
    ],
)
def test_the_required_variants_are_planted(spellings):
    assert any(spellings <= {tag for tag, _ in group} for group in PLANTED_VARIANTS)


def test_the_two_sides_of_a_trap_are_two_subjects():
    subject_of = {pair: subject for subject in SUBJECTS for pair in subject.spellings()}
    assert all(subject_of[left] is not subject_of[right] for left, right in TRAPS)


# --- the command -------------------------------------------------------------------------------------------


def test_the_command_writes_four_files_the_truth_and_one_line(tmp_path):
    out, truth = tmp_path / "new" / "folder", tmp_path / "truth.csv"
    result = run("--users", 50, "--out", out, "--truth", truth)
    assert result.exit_code == 0
    assert files_in(out) == sorted(f"{name}.csv" for name in files.FILE_NAMES)
    assert pd.read_csv(truth).user_handle.nunique() == 50
    assert result.stdout == ""
    assert re.fullmatch(r"Wrote 50 users to .*\n", result.stderr)


def test_the_defaults_are_2000_users_seed_1_and_csv(tmp_path):
    assert run("--out", tmp_path / "default").exit_code == 0
    files.write(2_000, 1, tmp_path / "explicit", "csv")
    assert contents(tmp_path / "default") == contents(tmp_path / "explicit")


@pytest.mark.parametrize("file_format", files.FILE_FORMATS)
def test_one_user_is_enough(tmp_path, file_format):
    for seed in range(5):
        assert run("--users", 1, "--seed", seed, "--format", file_format, "--out", tmp_path).exit_code == 0
    interests = files.tables(1, 1)["user_interests"]
    assert interests["user_handle"].unique().to_pylist() == [1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--users", "0", "--out", "x"],
        ["--users", "many", "--out", "x"],
        ["--seed", "-1", "--out", "x"],
        ["--format", "json", "--out", "x"],
        [],
    ],
)
def test_wrong_arguments_end_with_status_2(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments).exit_code == 2
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("users", "seed", "message"), [(0, 1, "at least 1"), (1, -1, "negative")])
def test_generate_refuses_wrong_numbers_at_once(users, seed, message):
    with pytest.raises(ValueError, match=message):
        files.generate(users, seed)


def test_a_table_in_the_other_format_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "user_interests.csv").write_text("mine")
    result = run("--users", 5, "--format", "parquet", "--out", tmp_path)
    assert result.exit_code == 2
    assert "user_interests.csv conflicts with user_interests.parquet" in result.stderr
    assert contents(tmp_path) == {"user_interests.csv": b"mine"}


@pytest.mark.parametrize("name", ["course_tags.csv", "course_tags.parquet"])
def test_the_truth_may_not_take_the_name_of_a_table(tmp_path, name):
    result = run("--users", 5, "--out", tmp_path, "--truth", tmp_path / "." / name)
    assert result.exit_code == 2
    assert files_in(tmp_path) == []


def test_a_folder_that_cannot_be_made_ends_with_a_message(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--users", 5, "--out", tmp_path / "file" / "folder")
    assert result.exit_code == 1
    assert re.match("Error: Cannot write the sample: .*", result.stderr)


def test_old_files_are_replaced_and_others_kept(tmp_path):
    (tmp_path / "course_tags.csv").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    assert run("--users", 5, "--out", tmp_path).exit_code == 0
    assert (tmp_path / "course_tags.csv").read_text().startswith('"course_id"')
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("file_format", files.FILE_FORMATS)
def test_an_interrupted_run_leaves_the_old_files_and_nothing_else(tmp_path, monkeypatch, file_format):
    arguments = ("--format", file_format, "--out", tmp_path, "--truth", tmp_path / "truth.csv")
    assert run("--users", 20, *arguments).exit_code == 0
    before = contents(tmp_path)

    complete, during = files.generate, []

    def interrupted(users, seed):
        yield from complete(users, seed)
        during.extend(files_in(tmp_path))
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "generate", interrupted)
    result = run("--users", 30, *arguments)
    assert result.exit_code == 1
    assert result.stderr.strip() == "Aborted!"
    assert len(during) > len(before)  # new files were being written
    assert contents(tmp_path) == before


def test_progress_counts_every_user(tmp_path):
    done = []
    files.write(LARGE, 1, tmp_path, "parquet", progress=done.append)
    assert sum(done) == LARGE
    assert len(done) > 2


def test_help_shows_an_example_and_says_that_files_are_replaced():
    text = " ".join(run("--help").output.split())
    assert "Example: kindred sample --users" in text
    assert "are replaced" in text
