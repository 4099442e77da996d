"""The API: its answers are what SQL finds in the warehouse."""

import re
import shutil

import duckdb
import pytest
from api_client import NOBODY, client_of, got, refused
from changed_warehouse import ODD_TAGS, with_odd_tags

from kindred import __version__
from kindred.warehouse.reading import open_file, rows_of

ACTIVITY = {"interests": ["python"]}


@pytest.fixture(scope="module")
def sql(warehouse):
    with open_file(warehouse) as connection:
        yield lambda query, *parameters: rows_of(connection, query, parameters)


@pytest.fixture(scope="module")
def client(warehouse):
    with client_of(warehouse) as client:
        yield client


@pytest.fixture(scope="module")
def users(sql):
    """Return the handles of a few users with different numbers of courses."""
    return [row["user_handle"] for row in sql("select user_handle from users order by total_courses limit 400")][::80]


# --- similar users -----------------------------------------------------------------------------------------


def expected_similar(sql, user):
    """Return a user's list as SQL finds it."""
    facets = [row["facet"] for row in sql("select facet from facets order by facet_number")]
    parts = ", ".join(f"'{facet}': round({facet}_part, 9)" for facet in facets)
    return sql(
        f"""
        select
            rank,
            similar_user_handle,
            round(similarity, 9) as similarity,
            {{{parts}}} as facets,
            round(cosine_similarity, 9) as cosine_similarity,
            similar_cluster_id as cluster_id,
            clusters.label as cluster,
            cosine_similarity > 1 - 1e-9 as is_same_profile,
            list_transform(top_reasons, lambda reason: {{
                facet: reason.facet, feature: reason.feature, contribution: round(reason.contribution, 9)
            }}) as reasons
        from similar_users
        left join clusters on similar_users.similar_cluster_id = clusters.cluster_id
        where user_handle = ?
        order by rank
        """,
        user,
    )


def test_similar_users_are_those_of_the_warehouse(client, sql, users):
    for user in users:
        expected = expected_similar(sql, user)
        answer = got(client.get(f"/users/{user}/similar?limit=100"))
        assert answer["user_handle"] == user
        assert answer["similar"] == expected
        assert len(expected) == 20  # top_k
        assert got(client.get(f"/users/{user}/similar"))["similar"] == expected[:10]


def test_answers_name_their_version(client, sql, users):
    version = sql("select version from build_info")[0]["version"]
    for path in ("", "/similar", "/courses", f"/similar/{users[1]}"):
        response = client.get(f"/users/{users[0]}{path}")
        assert got(response)["version"] == response.headers["kindred-version"] == version
    unknown = client.get(f"/users/{NOBODY}")
    assert unknown.headers["kindred-version"] == version


def test_filters_leave_out_the_right_users(client, sql):
    # The user in a cluster whose list is most evenly split between the own cluster and others.
    user, own = sql(
        """
        select users.user_handle, users.cluster_id from users
        inner join similar_users on users.user_handle = similar_users.user_handle
        where users.cluster_id >= 0
        group by all
        order by abs(avg((users.cluster_id = similar_cluster_id)::int) - .5), users.user_handle
        limit 1
        """
    )[0].values()
    every = expected_similar(sql, user)

    def handles(query):
        return [row["rank"] for row in got(client.get(f"/users/{user}/similar?limit=100&{query}"))["similar"]]

    same = [row["rank"] for row in every if row["cluster_id"] == own]
    other = [row["rank"] for row in every if row["cluster_id"] != own]
    assert same
    assert other
    assert handles("cluster=same") == same
    assert handles("cluster=other") == other
    assert handles("cluster=any") == [row["rank"] for row in every]
    middle = sorted(row["similarity"] for row in every)[len(every) // 2]
    assert handles(f"min_similarity={middle - 1e-6}") == [
        row["rank"] for row in every if row["similarity"] >= middle - 1e-6
    ]
    assert handles("cluster=other&limit=2") == other[:2]


def test_a_user_in_no_cluster_has_no_similar_users_of_the_same_cluster(client, sql):
    user = sql("select min(user_handle) as user_handle from users where cluster_id = -1")[0]["user_handle"]
    assert got(client.get(f"/users/{user}/similar?cluster=same"))["similar"] == []
    assert len(got(client.get(f"/users/{user}/similar?cluster=other&limit=100"))["similar"]) == 20


def test_users_who_did_exactly_the_same_can_be_left_out(warehouse, sql, tmp_path):
    # In this copy the second user of a list did exactly the same; in a small sample nobody did.
    copy = shutil.copy(warehouse, tmp_path / "kindred.duckdb")
    with duckdb.connect(copy) as connection:
        connection.execute("update similar_users set cosine_similarity = 1 where user_handle = 1 and rank = 2")
    client = client_of(copy)
    flags = [row["is_same_profile"] for row in got(client.get("/users/1/similar?limit=3"))["similar"]]
    assert flags == [False, True, False]
    rest = got(client.get("/users/1/similar?limit=3&exclude_same_profile=true"))["similar"]
    assert [row["rank"] for row in rest] == [1, 3, 4]


def test_several_users_are_answered_at_once(client, users):
    asked = [users[2], NOBODY, users[0], users[2]]
    answer = got(client.post("/users/similar", json={"user_handles": asked, "limit": 4, "cluster": "other"}))
    assert answer["unknown_user_handles"] == [NOBODY]
    assert answer["results"] == [
        {
            "user_handle": user,
            "similar": got(client.get(f"/users/{user}/similar?limit=4&cluster=other"))["similar"],
        }
        for user in (users[2], users[0])
    ]


# --- pairs -------------------------------------------------------------------------------------------------


def test_a_pair_has_all_shared_features_and_they_sum_to_the_similarity(client, sql, users):
    for user, other in [(1, expected_similar(sql, 1)[4]["similar_user_handle"]), (users[0], users[4])]:
        answer = got(client.get(f"/users/{user}/similar/{other}"))
        expected = sql(
            """
            select one.facet, one.feature, round(one.weight * other.weight, 9) as contribution
            from user_features as one
            inner join user_features as other on one.matching_feature_id = other.feature_id
            where one.user_handle = ? and other.user_handle = ?
            """,
            user,
            other,
        )
        by_name = {(reason["facet"], reason["feature"]): reason["contribution"] for reason in answer["reasons"]}
        assert by_name == {(row["facet"], row["feature"]): row["contribution"] for row in expected}
        contributions = [reason["contribution"] for reason in answer["reasons"]]
        assert contributions == sorted(contributions, reverse=True)
        assert answer["similarity"] == pytest.approx(sum(contributions), abs=1e-7)
        assert answer["similarity"] == pytest.approx(sum(answer["facets"].values()), abs=1e-7)
        ranks = {row["similar_user_handle"]: row["rank"] for row in expected_similar(sql, user)}
        assert answer["rank"] == ranks.get(other)


def test_a_user_is_not_compared_with_themselves(client):
    assert "name two users" in refused(client.get("/users/1/similar/1"), 404)["detail"]


# --- users -------------------------------------------------------------------------------------------------


def test_a_tag_arrives_as_one_whatever_signs_it_has(warehouse, tmp_path):
    with client_of(with_odd_tags(warehouse, tmp_path, 1)) as client:
        assert got(client.get("/users/1"))["top_course_tags"] == ODD_TAGS
        listed = got(client.get("/users?limit=2"))["users"]
        assert [user["top_course_tags"] for user in listed] == [ODD_TAGS, []]


def test_a_user_is_the_row_of_users_with_the_profile(client, sql, users):
    for user in users:
        answer = got(client.get(f"/users/{user}"))
        row = sql("select users.*, label as cluster from users left join clusters using (cluster_id) "
                  "where user_handle = ?", user)[0]  # fmt: skip
        for name, value in row.items():
            if name == "top_course_tags":
                assert answer[name] == (value or [])
            elif isinstance(value, int | float | str | None):
                assert answer[name] == value, name
            else:
                assert answer[name] == value.isoformat()
        features = {
            (facet, feature["feature"]): feature["weight"]
            for facet, features in answer["profile"].items()
            for feature in features
        }
        expected = sql(
            "select facet, feature, round(weight, 9) as weight from user_features where user_handle = ?", user
        )
        assert features == {(row["facet"], row["feature"]): row["weight"] for row in expected}


def pages_of(client, query):
    after, pages = "", []
    while after is not None:
        answer = got(client.get(f"/users?{query}{after and f'&after={after}'}"))
        pages.append([user["user_handle"] for user in answer["users"]])
        after = answer["next_after"]
    return pages


def test_pages_hold_every_user_exactly_once(client, sql):
    everybody = [row["user_handle"] for row in sql("select user_handle from users order by user_handle")]
    pages = pages_of(client, "limit=37")
    assert [user for page in pages for user in page] == everybody
    assert {len(page) for page in pages[:-1]} == {37}
    # The last page is full here: only the next read shows that it is the last.
    assert len(everybody) % 100 == 0
    assert [len(page) for page in pages_of(client, "limit=100")] == [100] * (len(everybody) // 100)


def test_pages_of_a_cluster_hold_its_users(client, sql):
    for row in sql("select cluster_id, list(user_handle order by user_handle) as users from users group by all"):
        pages = pages_of(client, f"limit=7&cluster={row['cluster_id']}")
        assert [user for page in pages for user in page] == row["users"]
    assert pages_of(client, "cluster=1000000") == [[]]


def test_courses_to_take_are_what_similar_users_viewed(client, sql, users):
    for user in users:
        expected = sql(
            """
            select
                course_id,
                count(*) as users,
                sum(similarity) as summed_similarity,
                list(similar_user_handle order by rank) as similar_user_handles
            from similar_users
            inner join user_courses on similar_users.similar_user_handle = user_courses.user_handle
            where
                similar_users.user_handle = $1
                and course_id not in (select course_id from user_courses where user_handle = $1)
            group by course_id
            order by summed_similarity desc, course_id
            limit 100
            """,
            user,
        )
        courses = got(client.get(f"/users/{user}/courses?limit=100"))["courses"]
        assert [course["course_id"] for course in courses] == [row["course_id"] for row in expected]
        for course, row in zip(courses, expected, strict=True):
            assert course == row | {"summed_similarity": pytest.approx(row["summed_similarity"], abs=1e-8)}
        assert got(client.get(f"/users/{user}/courses"))["courses"] == courses[:10]


# --- activities --------------------------------------------------------------------------------------------


def test_an_activity_is_compared_as_the_user_who_did_it(client, sql, users):
    user = users[3]
    courses = sql("select course_id, total_view_seconds as view_seconds from user_courses where user_handle = ?", user)
    answer = got(client.post("/similar", json={"courses": courses, "limit": 100}))
    # The user is most similar to their own activity; a part is the sum of the user's squared weights in that facet.
    own = next(row for row in answer["similar"] if row["similar_user_handle"] == user)
    assert own["rank"] == 1
    parts = sql(
        "select facet, sum(weight * weight) as part from user_features where user_handle = ? group by all", user
    )
    weights = {row["facet"]: row["part"] for row in parts}
    for facet in ("courses", "course_tags", "view_time", "authors", "levels"):
        assert own["facets"][facet] == pytest.approx(weights[facet], abs=1e-8)
    clusters = {row["cluster_id"]: row["label"] for row in sql("select cluster_id, label from clusters")}
    for row in answer["similar"]:
        assert row["cluster"] == clusters.get(row["cluster_id"])
        assert row["similarity"] == pytest.approx(sum(row["facets"].values()), abs=1e-7)


def test_users_less_similar_to_an_activity_can_be_left_out(client):
    every = got(client.post("/similar", json=ACTIVITY | {"limit": 100}))["similar"]
    middle = sorted(row["similarity"] for row in every)[len(every) // 2]
    rest = got(client.post("/similar", json=ACTIVITY | {"limit": 100, "min_similarity": middle}))["similar"]
    assert 0 < len(rest) < len(every)
    assert min(row["similarity"] for row in rest) >= middle
    assert len(got(client.post("/similar", json=ACTIVITY | {"limit": 3}))["similar"]) == 3


def test_courses_may_be_named_without_view_times(client, sql):
    courses = [row["course_id"] for row in sql("select course_id from user_courses where user_handle = 1")]
    as_text = got(client.post("/similar", json={"courses": courses}))
    as_objects = got(client.post("/similar", json={"courses": [{"course_id": course} for course in courses]}))
    timed = got(client.post("/similar", json={"courses": [{"course_id": name, "view_seconds": 9} for name in courses]}))
    assert as_text == as_objects
    assert {row["facets"]["view_time"] for row in as_text["similar"]} == {0.0}
    assert max(row["facets"]["view_time"] for row in timed["similar"]) > 0


def test_unknown_terms_and_mapped_spellings_are_listed(client, sql):
    spelling, tag = sql(
        """
        select raw_tag, canonical_tag from tag_map
        inner join user_features on canonical_tag = feature and facet = 'interests'
        where vocabulary = 'interest' and raw_tag <> canonical_tag
        order by all limit 1
        """
    )[0].values()
    activity = {
        "interests": [spelling, "basket weaving in space"],
        "courses": ["no-such-course"],
        "assessments": ["no such test", {"tag": "nor this", "score": 150}],
    }
    answer = got(client.post("/similar", json=activity))
    assert answer["mapped"] == {"interests": {spelling: tag}, "assessments": {}}
    assert answer["unknown"] == {
        "interests": ["basket weaving in space"],
        "courses": ["no-such-course"],
        "assessments": ["no such test", "nor this"],
    }
    assert answer["similar"]
    del activity["interests"]
    assert got(client.post("/similar", json=activity))["similar"] == []


def test_a_score_matches_users_with_similar_scores(client, sql):
    band = "(middle score)"
    feature = sql(
        "select feature from user_features where contains(feature, ?) group by all order by count(*) desc, feature",
        band,
    )[0]["feature"]
    tag = feature.removesuffix(f" {band}")
    (edge,) = sql("select from_score from score_bands where assessment_tag = ? and label = 'middle score'", tag)

    def reasons_for(assessment):
        similar = got(client.post("/similar", json={"assessments": [assessment], "limit": 20}))["similar"]
        return {reason["feature"] for other in similar for reason in other["reasons"]}

    assert reasons_for({"tag": tag, "score": edge["from_score"]}) == {tag, feature}
    assert reasons_for({"tag": tag}) == reasons_for(tag) == {tag}


# --- SageMaker, health and the description -----------------------------------------------------------------


def test_invocations_take_each_kind_of_question(client, users):
    one = got(client.post("/invocations", json={"user_handle": users[0], "limit": 3, "cluster": "other"}))
    assert one == got(client.get(f"/users/{users[0]}/similar?limit=3&cluster=other"))
    several = {"user_handles": [users[0], NOBODY], "limit": 3}
    assert got(client.post("/invocations", json=several)) == got(client.post("/users/similar", json=several))
    assert got(client.post("/invocations", json=ACTIVITY)) == got(client.post("/similar", json=ACTIVITY))
    refused(client.post("/invocations", json={"user_handle": NOBODY}), 404)
    assert refused(client.post("/invocations", json={"user_handle": ""}), 422)["errors"] == [
        {"location": "body.user_handle", "message": "String should have at least 1 character"}
    ]


def test_health_says_what_is_served(client, sql):
    (build,) = sql("select version, strftime(started_at, '%Y-%m-%dT%H:%M:%SZ') as built_at from build_info")
    assert got(client.get("/health")) == {
        "status": "ok",
        "code_version": __version__,
        **build,
        "users": 400,
        "store": "duckdb",
    }
    ping = client.get("/ping")
    assert (ping.status_code, ping.content) == (200, b"")


def test_pages_load_nothing_from_other_hosts(client):
    for path in ("/docs", "/redoc"):
        refused(client.get(path), 404)
    for path in ("/", "/page.js", "/page.css", "/openapi.json"):
        response = client.get(path)
        assert response.status_code == 200
        # The name of a namespace is not an address that is loaded.
        assert re.findall(r"(?:https?:)?//[a-z]", response.text.replace("http://www.w3.org/2000/svg", "")) == []
    assert "default-src 'none'" in client.get("/").headers["content-security-policy"]


def test_every_answer_has_its_headers(client):
    for path in ("/", "/health", "/users/1", f"/users/{NOBODY}", "/no/such/path", "/openapi.json"):
        response = client.get(path)
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
