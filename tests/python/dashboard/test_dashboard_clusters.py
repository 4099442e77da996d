"""The page Clusters, against the published file of 400 users."""

import shutil

import duckdb
import numpy as np
import pytest
from dashboard_app import page_of

from kindred.dashboard.queries.reading import read_query
from kindred.warehouse.reading import open_file


@pytest.fixture(scope="module")
def rows(warehouse):
    """Return a function that runs a query on the published file."""
    with open_file(warehouse) as connection:
        yield lambda query: connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def similarities(rows):
    """Return the users and the similarity of every pair, without the facet cluster: all features against all."""
    users = [handle for (handle,) in rows("select user_handle from users order by user_handle")]
    index = {handle: number for number, handle in enumerate(users)}
    features = rows(
        "select user_handle, feature_id, matching_feature_id, weight from user_features where facet <> 'cluster'"
    )
    number = {
        feature: column for column, feature in enumerate({row[1] for row in features} | {row[2] for row in features})
    }
    own, met = np.zeros((2, len(users), len(number)))
    for handle, feature, matching, weight in features:
        own[index[handle], number[feature]] = weight
        met[index[handle], number[matching]] = weight
    return users, own @ met.T


def frames(app):
    """Return the tables of the page, by their columns."""
    return {tuple(element.value.columns): element.value for element in app.dataframe}


def table_with(app, column):
    (found,) = [frame for columns, frame in frames(app).items() if column in columns]
    return found


def figures(app):
    return {metric.label: metric.value for metric in app.metric}


def messages(app):
    return [element.value for element in [*app.warning, *app.info]]


def copied(warehouse, folder, *statements):
    """Return a copy of the published file after some statements."""
    path = folder / "kindred.duckdb"
    shutil.copy(warehouse, path)
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def test_the_overview_counts_the_users_of_each_cluster(warehouse, monkeypatch, rows):
    app = page_of("clusters", warehouse, monkeypatch)
    assert not app.exception
    sizes = {}
    for (cluster,) in rows("select cluster_id from users"):
        sizes[cluster] = sizes.get(cluster, 0) + 1
    unclustered = sizes.pop(-1)
    shown = figures(app)
    assert shown["Clusters"] == str(len(sizes))
    assert shown["Clustered share"] == f"{(400 - unclustered) / 400:.1%}"
    assert shown["Largest cluster share"] == f"{max(sizes.values()) / 400:.1%}"
    assert float(shown["Median users"]) == np.median(list(sizes.values()))
    listed = table_with(app, "top_tags")
    assert dict(zip(listed["cluster_id"], listed["users"], strict=True)) == sizes
    assert listed["user_share"].sum() == pytest.approx((400 - unclustered) / 400)


def test_the_search_has_every_eps_and_says_which_was_chosen(warehouse, monkeypatch, rows):
    app = page_of("clusters", warehouse, monkeypatch)
    considered = table_with(app, "eps")
    assert len(considered) == rows("select count(*) from cluster_search")[0][0]
    (chosen,) = considered[considered["is_chosen"]].itertuples()
    assert chosen.clustered_users == rows("select count(*) from users where cluster_id >= 0")[0][0]
    assert any(element.value.startswith("Taken\\: the loosest") for element in app.markdown)


def test_a_cluster_is_as_cohesive_as_its_pairs_are_similar(warehouse, monkeypatch, rows, similarities):
    users, similarity = similarities
    app = page_of("clusters", warehouse, monkeypatch, cluster=0)
    assert not app.exception
    members = {handle for (handle,) in rows("select user_handle from users where cluster_id = 0")}
    inside = np.array([handle in members for handle in users])
    pairs = similarity[np.ix_(inside, inside)][np.triu_indices(inside.sum(), 1)]
    random = similarity[np.triu_indices(len(users), 1)]
    shown = figures(app)
    assert shown["Users"] == str(len(members))
    assert float(shown["Cohesion"]) == pytest.approx(pairs.mean(), abs=5e-4)
    assert any(f"**{pairs.mean() / random.mean():.1f} times**" in element.value for element in app.markdown)
    outside = rows("select count(*) from user_clusters where cluster_id = -1 and nearest_cluster_id = 0")[0][0]
    assert shown["Outside users"] == str(outside)


def test_typical_members_are_those_most_similar_to_the_others(warehouse, monkeypatch, rows, similarities):
    users, similarity = similarities
    members = [handle for (handle,) in rows("select user_handle from users where cluster_id = 0")]
    indices = [users.index(handle) for handle in members]
    inside = similarity[np.ix_(indices, indices)]
    np.fill_diagonal(inside, 0)
    expected = dict(zip(members, inside.sum(axis=1) / (len(members) - 1), strict=True))
    shown = table_with(page_of("clusters", warehouse, monkeypatch, cluster=0), "mean_similarity")
    assert list(shown["user_handle"]) == sorted(expected, key=lambda handle: (-expected[handle], handle))[:10]
    assert list(shown["mean_similarity"]) == pytest.approx([expected[handle] for handle in shown["user_handle"]])


def test_tags_are_those_that_members_have_more_often(warehouse, monkeypatch, rows):
    shown = table_with(page_of("clusters", warehouse, monkeypatch, cluster=1), "tag")
    cluster_of = dict(rows("select user_handle, cluster_id from users"))
    having = {}
    for handle, facet, tag in rows(
        "select user_handle, facet, feature from user_features where facet in ('course_tags', 'interests')"
    ):
        having.setdefault((facet, tag), []).append(cluster_of[handle])
    members = sum(cluster == 1 for cluster in cluster_of.values())
    expected = {
        tag: (clusters.count(1) / members, len(clusters) / 400)
        for tag, clusters in having.items()
        if clusters.count(1) >= 0.1 * members and clusters.count(1) / members > len(clusters) / 400
    }
    by_tag = {(row.facet, row.tag): row for row in shown.itertuples()}
    first = sorted(expected, key=lambda tag: (-expected[tag][0] * np.log(expected[tag][0] / expected[tag][1]), tag))[
        :30
    ]
    assert list(by_tag) == first
    for tag, row in by_tag.items():
        member_share, user_share = expected[tag]
        assert (row.member_share, row.user_share) == pytest.approx((member_share, user_share))
        assert row.lift == pytest.approx(member_share / user_share)


def test_courses_and_nearest_clusters_are_counted(warehouse, monkeypatch, rows):
    app = page_of("clusters", warehouse, monkeypatch, cluster=1)
    cluster_of = dict(rows("select user_handle, cluster_id from users"))
    members = {handle for handle, cluster in cluster_of.items() if cluster == 1}
    viewers = {}
    for handle, course in rows("select user_handle, course_id from user_courses"):
        viewers.setdefault(course, set()).add(handle)
    courses = table_with(app, "course_id")
    most = sorted((len(handles & members) for handles in viewers.values()), reverse=True)[: len(courses)]
    assert list(courses["members"]) == most
    for row in courses.itertuples():
        handles = viewers[row.course_id]
        assert row.members == len(handles & members)
        assert row.lift == pytest.approx(len(handles & members) / len(members) * 400 / len(handles))
    near = table_with(app, "similar_cluster_id")
    listed = [
        cluster_of[other]
        for handle, other in rows("select user_handle, similar_user_handle from similar_users")
        if handle in members
    ]
    shown = dict(zip(near["similar_cluster_id"], near["listed_share"], strict=True))
    assert shown == pytest.approx({cluster: listed.count(cluster) / len(listed) for cluster in set(listed)})
    assert near["similar_cluster_id"].iloc[0] == 1


def test_levels_are_those_of_members_beside_all_users(warehouse, rows):
    with open_file(warehouse) as connection:
        shown = connection.execute(read_query("clusters_levels").sql, {"cluster_id": 1}).fetchall()
    everybody = rows("select cluster_id, coalesce(main_level, 'none') from users")
    of_members = [level for cluster, level in everybody if cluster == 1]
    for level, members, member_share, user_share in shown:
        assert members == of_members.count(level)
        assert member_share == pytest.approx(members / len(of_members))
        assert user_share == pytest.approx(sum(other == level for _, other in everybody) / 400)
    assert {row[0] for row in shown} == {level for _, level in everybody}


def test_another_cluster_is_chosen_from_the_list(warehouse, monkeypatch):
    app = page_of("clusters", warehouse, monkeypatch, cluster=1)
    app.selectbox[0].select(0).run()
    assert app.query_params["cluster"] == "0"
    assert app.header[0].value.startswith("0")
    app.selectbox[0].select(-1).run()
    assert "cluster" not in app.query_params
    assert "Clusters" in figures(app)


def test_a_cluster_links_to_the_map(warehouse, monkeypatch):
    app = page_of("clusters", warehouse, monkeypatch, cluster=1)
    assert ("map", "cluster=1") in {(link.proto.page, link.proto.query_string) for link in app.get("page_link")}


@pytest.mark.parametrize("asked", ["abc", "99999", "-1", "1.5"])
def test_an_invalid_cluster_in_the_url_gives_a_warning(warehouse, monkeypatch, asked):
    app = page_of("clusters", warehouse, monkeypatch, cluster=asked)
    assert not app.exception
    assert any("There is no cluster" in message for message in messages(app))
    assert "Clusters" in figures(app)


def test_an_empty_warehouse_has_no_clusters(warehouse, monkeypatch, tmp_path, rows):
    tables = [table for (table,) in rows("select table_name from duckdb_tables() where table_name <> 'build_info'")]
    path = copied(warehouse, tmp_path, *(f"delete from {table}" for table in tables))
    app = page_of("clusters", path, monkeypatch, cluster=0)
    assert not app.exception
    assert figures(app)["Clusters"] == "0"
    assert any("There are no clusters" in message for message in messages(app))


def test_a_cluster_without_label_tags_or_courses_is_shown(warehouse, monkeypatch, tmp_path):
    path = copied(
        warehouse,
        tmp_path,
        "update clusters set label = null, top_tags = null, cohesion = null, users = 1, core_users = 0",
        "delete from user_features",
        "delete from user_courses",
        "delete from similar_users",
        "update users set main_level = null, top_course_tags = null, nearest_cluster_id = -1",
    )
    for parameters in ({}, {"cluster": 0}):
        app = page_of("clusters", path, monkeypatch, **parameters)
        assert not app.exception
    assert app.header[0].value == "0\\: without a label"
    assert figures(app)["Cohesion"] == "none"
