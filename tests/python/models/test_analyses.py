"""The ready-made SQL in analyses/: each file runs as it is on a published warehouse and answers its question."""

import csv
import math
import re
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
import yaml
from project import ROOT

from kindred import lookups
from kindred.stores.duckdb import DuckdbStore
from kindred.warehouse.reading import open_file
from kindred.warehouse.reading import rows_of as dicts_of

FOLDER = ROOT / "analyses"
DECLARED = {
    analysis["name"]: analysis
    for analysis in yaml.safe_load((FOLDER / "_analyses.yml").read_text(encoding="utf-8"))["analyses"]
}
GRAINS = {
    "what_sets_a_users_group_apart": ("facet", "feature"),
    "what_to_take_next": ("course_id",),
    "which_course_leads_where": ("course_id",),
    "which_courses_bridge_groups": ("cluster_label", "other_cluster_label"),
    "which_interests_find_no_views": ("tag",),
    "which_subjects_lack_assessments": ("tag",),
    "which_tags_need_a_check": ("tag", "other_tag"),
    "who_could_mentor_whom": ("user_handle",),
    "who_is_closest_and_why": ("rank",),
    "who_went_quiet_among_active_users": ("user_handle",),
}


def text_of(name):
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def connection(warehouse):
    with open_file(warehouse) as connection:
        yield connection


@pytest.fixture(scope="module")
def rows_of(connection):
    return lambda query, *parameters: dicts_of(connection, query, parameters)


@pytest.fixture(scope="module")
def answer(rows_of):
    """Return what runs a file as it is, or with another value of something that it asks."""

    def answer(name, **asked):
        text = text_of(name)
        for column, value in asked.items():
            # 0.5 as max_share, or where user_handle = '42'
            text, changes = re.subn(rf"(?<=\s)[\d.]+(?= as {column}\b)|(?<= {column} = )'42'", str(value), text)
            assert changes == 1, column
        return rows_of(text)

    return answer


@pytest.fixture(scope="module")
def users(rows_of):
    return {user["user_handle"]: user for user in rows_of("from users")}


@pytest.fixture(scope="module")
def viewed(rows_of):
    """Return the rows of user_courses by user and course."""
    viewed = defaultdict(dict)
    for row in rows_of("from user_courses"):
        viewed[row["user_handle"]][row["course_id"]] = row
    return viewed


@pytest.fixture(scope="module")
def closest(rows_of):
    """Return every user's list, closest first."""
    closest = defaultdict(list)
    for row in rows_of("from similar_users order by user_handle, rank"):
        closest[row["user_handle"]].append(row)
    return closest


@pytest.fixture(scope="module")
def labels(rows_of):
    return {row["cluster_id"]: row["label"] for row in rows_of("from clusters")}


def test_every_file_is_described():
    assert {file.stem for file in FOLDER.glob("*.sql")} == DECLARED.keys() == GRAINS.keys()


@pytest.mark.parametrize("name", GRAINS)
def test_a_file_begins_with_its_question(name):
    question = re.match(r"-- ([^?]*\?)", text_of(name).replace("\n-- ", " "))[1]
    assert DECLARED[name]["description"].startswith(question)


@pytest.mark.parametrize("name", GRAINS)
def test_dbt_knows_what_a_file_reads(connection, name):
    text = text_of(name)
    assert connection.get_table_names(text) == set(re.findall(r"{{ ref\('(\w+)'\) }}", text))


@pytest.mark.parametrize("name", GRAINS)
def test_the_columns_are_those_that_are_described(connection, name):
    relation = connection.sql(text_of(name))
    assert list(zip(relation.columns, (str(kind).lower() for kind in relation.types), strict=True)) == [
        (column["name"], column["data_type"]) for column in DECLARED[name]["columns"]
    ]


@pytest.mark.parametrize("name", GRAINS)
def test_there_is_one_row_of_each(answer, name):
    rows = answer(name)
    assert len(rows) >= 3
    assert len({tuple(row[column] for column in GRAINS[name]) for row in rows}) == len(rows)


@pytest.mark.parametrize("user", [42, 7, 300])
def test_who_is_closest_and_why(answer, rows_of, closest, labels, user):
    reasons = defaultdict(list)
    for row in rows_of("from similar_user_reasons where user_handle = ? order by reason_rank", user):
        reasons[row["similar_user_handle"]].append(row)
    expected = [
        {
            "rank": row["rank"],
            "similar_user_handle": row["similar_user_handle"],
            "similarity": pytest.approx(row["similarity"], abs=5.1e-4),
            "main_reasons": [f"{r['facet']}: {r['feature']}" for r in reasons[row["similar_user_handle"]][:3]],
            "main_reasons_share": pytest.approx(
                sum(r["contribution"] for r in reasons[row["similar_user_handle"]][:3]) / row["similarity"], abs=5.1e-3
            ),
            "cluster_label": labels.get(row["similar_cluster_id"]),
        }
        for row in closest[user]
    ]
    assert answer("who_is_closest_and_why", user_handle=user) == expected


@pytest.mark.parametrize("user", [42, 7, 300])
def test_what_to_take_next(answer, rows_of, warehouse, viewed, user):
    with DuckdbStore(warehouse).read() as reader:
        expected = lookups.courses_to_take(reader, user, 20)
    rows = answer("what_to_take_next", user_handle=user)
    assert [(row["course_id"], row["closest_users"]) for row in rows] == [
        (course["course_id"], course["users"]) for course in expected
    ]
    assert [row["summed_similarity"] for row in rows] == pytest.approx(
        [course["summed_similarity"] for course in expected], abs=1e-3
    )
    leading = defaultdict(list)
    for row in rows_of("from course_relations"):
        if row["course_id"] in viewed[user]:
            leading[row["next_course_id"]].append((row["strength"], row["course_id"]))
    assert [row["led_by_course_id"] for row in rows] == [
        max(leading[row["course_id"]])[1] if row["course_id"] in leading else None for row in rows
    ]
    courses = {row["course_id"]: row for row in rows_of("from courses")}
    for row in rows:
        assert (row["course_tags"], row["level"]) == (
            courses[row["course_id"]]["course_tags"],
            courses[row["course_id"]]["level"],
        )


@pytest.mark.parametrize("is_member", [True, False])
def test_what_sets_a_users_group_apart(answer, rows_of, users, labels, is_member):
    asked = min(
        handle
        for handle, user in users.items()
        if (user["cluster_id"] >= 0) == is_member and user["nearest_cluster_id"] >= 0
    )
    group = users[asked]["nearest_cluster_id"]
    members = {handle for handle, user in users.items() if user["cluster_id"] == group}
    having = defaultdict(set)
    for row in rows_of("from user_features"):
        if row["facet"] in ("courses", "course_tags", "interests", "assessments", "authors"):
            having[row["facet"], row["feature"]].add(row["user_handle"])
    scores = {}
    for feature, handles in having.items():
        share, overall = len(handles & members) / len(members), len(handles) / len(users)
        if share > overall:
            scores[feature] = (-share * math.log(share / overall), share, share / overall)
    best = sorted(scores, key=lambda feature: (round(scores[feature][0], 12), feature))[:20]
    assert answer("what_sets_a_users_group_apart", user_handle=asked) == [
        {
            "cluster_label": labels[group],
            "is_member": is_member,
            "facet": feature[0],
            "feature": feature[1],
            "members_share": pytest.approx(scores[feature][1], abs=5.1e-4),
            "lift": pytest.approx(scores[feature][2], abs=5.1e-3),
            "has_it": asked in having[feature],
        }
        for feature in best
    ]


def test_which_courses_bridge_groups(answer, users, viewed, labels):
    viewers = defaultdict(set)
    for user, courses in viewed.items():
        for course in courses:
            viewers[course].add(user)
    sizes = Counter(user["cluster_id"] for user in users.values())
    best = {}
    for course, handles in sorted(viewers.items()):
        counts = Counter(users[handle]["cluster_id"] for handle in handles)
        apart = {
            cluster: count
            for cluster, count in counts.items()
            if cluster >= 0 and count >= 3 and count / sizes[cluster] >= 1.5 * len(handles) / len(users)
        }
        for one in apart:
            for other in apart:
                least = min(apart[one] / sizes[one], apart[other] / sizes[other])
                if one < other and least > best.get((one, other), (0,))[0]:
                    best[one, other] = (least, course, apart[one], apart[other])
    rows = answer("which_courses_bridge_groups")
    assert {
        (row["cluster_label"], row["other_cluster_label"]): (row["course_id"], row["members"], row["other_members"])
        for row in rows
    } == {(labels[one], labels[other]): found[1:] for (one, other), found in best.items()}
    least_shares = [min(row["members_share"], row["other_members_share"]) for row in rows]
    assert least_shares == sorted(least_shares, reverse=True)
    assert least_shares == pytest.approx(sorted((found[0] for found in best.values()), reverse=True), abs=5.1e-4)


def test_which_course_leads_where(answer, rows_of, viewed):
    strongest = {}
    for row in rows_of("from course_relations"):
        key = (-row["strength"], row["next_course_id"])
        strongest[row["course_id"]] = min(strongest.get(row["course_id"], key), key)
    viewers = Counter(course for courses in viewed.values() for course in courses)
    expected = []
    for course, (strength, following) in strongest.items():
        if viewers[course] < 20:
            continue
        days = [
            (courses[course]["first_view_date"], courses[following]["first_view_date"])
            for courses in viewed.values()
            if course in courses and following in courses
        ]
        expected.append(
            {
                "course_id": course,
                "next_course_id": following,
                "strength": pytest.approx(-strength, abs=5.1e-4),
                "viewers": viewers[course],
                "users_of_both": len(days),
                "users_next_after": sum(one < other for one, other in days),
                "users_next_before": sum(one > other for one, other in days),
                "lift": pytest.approx(len(days) * len(viewed) / viewers[course] / viewers[following], abs=5.1e-3),
            }
        )
    expected.sort(key=lambda row: (strongest[row["course_id"]][0], row["course_id"]))
    assert answer("which_course_leads_where") == expected


def test_who_went_quiet_among_active_users(answer, users, viewed, closest):
    last_day = max(user["last_view_date"] for user in users.values() if user["last_view_date"])
    expected = []
    for handle, user in users.items():
        if user["last_view_date"] is None or last_day - user["last_view_date"] < timedelta(days=90):
            continue
        lately = {
            row["similar_user_handle"]: [
                course
                for course, views in viewed[row["similar_user_handle"]].items()
                if last_day - views["last_view_date"] < timedelta(days=30)
            ]
            for row in closest[handle]
        }
        active = sum(bool(courses) for courses in lately.values())
        if active < 5:
            continue
        offered = Counter(course for courses in lately.values() for course in courses if course not in viewed[handle])
        most = min(offered, key=lambda course: (-offered[course], course), default=None)
        expected.append(
            {
                "user_handle": handle,
                "last_view_date": user["last_view_date"],
                "days_quiet": (last_day - user["last_view_date"]).days,
                "active_similar_users": active,
                "offered_course_id": most,
                "offered_course_viewed_by": offered[most] if most else None,
            }
        )
    expected.sort(key=lambda row: (-row["active_similar_users"], row["user_handle"]))
    assert answer("who_went_quiet_among_active_users") == expected


def test_which_interests_find_no_views(answer, rows_of, warehouse):
    """Followers and viewers are counted from the input files, with nothing of the warehouse but the spellings."""
    canonical = {(row["vocabulary"], row["raw_tag"]): row["canonical_tag"] for row in rows_of("from tag_map")}
    inputs = warehouse.parent.parent / "seeds"
    courses, followers, viewers = defaultdict(set), defaultdict(set), defaultdict(set)
    tags_of = defaultdict(set)
    for row in read_csv(inputs / "course_tags.csv"):
        if row["course_tags"]:
            tag = canonical["course", row["course_tags"]]
            courses[tag].add(row["course_id"])
            tags_of[row["course_id"]].add(tag)
    for row in read_csv(inputs / "user_interests.csv"):
        followers[canonical["interest", row["interest_tag"]]].add(row["user_handle"])
    for row in read_csv(inputs / "user_course_views.csv"):
        for tag in tags_of[row["course_id"]]:
            viewers[tag].add(row["user_handle"])
    expected = [
        {
            "tag": tag,
            "total_courses": len(courses[tag]),
            "total_viewers": len(viewers[tag]),
            "total_followers": len(handles),
            "followers_who_viewed": len(handles & viewers[tag]),
            "followers_without_a_view": len(handles - viewers[tag]),
            "unmet_share": pytest.approx(len(handles - viewers[tag]) / len(handles), abs=5.1e-4),
        }
        for tag, handles in followers.items()
        if len(handles) >= 20
    ]
    expected.sort(key=lambda row: (-row["followers_without_a_view"], row["tag"]))
    assert answer("which_interests_find_no_views") == expected


def test_which_subjects_lack_assessments(answer, rows_of):
    tags = rows_of("from tags")
    scored = [tag for tag in tags if tag["total_assessed_users"]]
    mean = sum(tag["avg_assessment_score"] * tag["total_assessed_users"] for tag in scored) / sum(
        tag["total_assessed_users"] for tag in scored
    )
    findings = {}
    for tag in tags:
        assessed = tag["total_assessed_users"]
        if tag["total_viewers"] < 50:
            continue
        if not assessed:
            findings[tag["canonical_tag"]] = "no assessment"
        elif assessed >= 5 and tag["avg_assessment_score"] <= mean - 10:
            findings[tag["canonical_tag"]] = "low scores"
        elif assessed / tag["total_viewers"] < 0.1:
            findings[tag["canonical_tag"]] = "few assessed"
    rows = answer("which_subjects_lack_assessments", assessed_share=0.1)
    assert {row["tag"]: row["finding"] for row in rows} == findings
    assert set(findings.values()) == {"no assessment", "low scores", "few assessed"}
    for row in rows:
        if row["avg_assessment_score"] is not None:
            assert row["score_above_mean"] == pytest.approx(row["avg_assessment_score"] - mean, abs=0.11)


def test_who_could_mentor_whom(answer, users, closest):
    mentors = {}
    for handle, others in closest.items():
        score = users[handle]["avg_assessment_score"]
        ahead = [
            other
            for other in others
            if score is not None
            and (users[other["similar_user_handle"]]["avg_assessment_score"] or -math.inf) >= score + 30
            and other["next_courses_part"] > 0
        ]
        if ahead:
            mentors[handle] = ahead[0]
    learners = Counter(mentor["similar_user_handle"] for mentor in mentors.values())
    rows = answer("who_could_mentor_whom")
    assert {row["user_handle"]: (row["mentor_user_handle"], row["mentor_rank"], row["learners"]) for row in rows} == {
        handle: (mentor["similar_user_handle"], mentor["rank"], learners[mentor["similar_user_handle"]])
        for handle, mentor in mentors.items()
    }
    for row in rows:
        mentor = mentors[row["user_handle"]]
        assert row["ahead_share"] == pytest.approx(mentor["next_courses_part"] / mentor["similarity"], abs=5.1e-3)


def test_which_tags_need_a_check(answer, rows_of):
    reach = {
        row["canonical_tag"]: max(row["total_viewers"], row["total_followers"], row["total_assessed_users"])
        for row in rows_of("from tags")
    }
    expected = {
        ("merged", row["raw_tag"], row["canonical_tag"], row["method"], reach[row["canonical_tag"]])
        for row in rows_of("from tag_map")
        if row["method"] in ("version", "misspelling")
    }
    assert expected
    expected |= {
        ("kept apart", *pair, row["reason"], min(reach[tag] for tag in pair))
        for row in rows_of("from tag_links")
        if row["method"] in ("version", "containment") and row["cooccurrence_score"] >= 0.3
        for pair in [tuple(sorted((row["tag"], row["other_tag"])))]
    }
    rows = answer("which_tags_need_a_check", min_cooccurrence=0.3)
    assert {(row["decision"], row["tag"], row["other_tag"], row["evidence"], row["reach"]) for row in rows} == expected
    assert {row["decision"] for row in rows} == {"merged", "kept apart"}
    assert [row["reach"] for row in rows] == sorted((row["reach"] for row in rows), reverse=True)


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
