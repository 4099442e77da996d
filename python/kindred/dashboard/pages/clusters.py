"""The page Clusters: all clusters, or what sets one apart, who is in it and which clusters are near."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing import clusters as charts
from kindred.dashboard.published import Answer, PublishedWarehouse
from kindred.dashboard.widgets.answers import about, figures, table
from kindred.dashboard.widgets.choices import choose_cluster, cluster_name, select_cluster
from kindred.dashboard.widgets.links import link, open_page

TOTALS = ("clusters", "clustered_share", "largest_cluster_share", "median_users", "median_cohesion")

FIGURES = ("users", "user_share", "core_users", "cohesion", "outside_users")

FACETS = {"course_tags": "Subjects of the courses viewed", "interests": "Interests followed"}


def show(published: PublishedWarehouse) -> None:
    """Draw the page; ?cluster= in the URL selects a cluster."""
    if (user := st.session_state.pop("user_to_open", None)) is not None:
        open_page("", user=user)
    st.title("Clusters of users")
    clusters = published.ask("clusters")
    with st.container(width=420):
        cluster = choose_cluster(clusters.frame, "Cluster", "all clusters")
    if cluster is None:
        _show_all(published)
    else:
        _show_one(published, cluster)


def _show_all(published: PublishedWarehouse) -> None:
    st.markdown(
        "A **cluster** is a group of users who are alike. The build finds it from the lists of similar users; nobody "
        "sets it by hand. **Core users** hold it together: they share similar users with many others, and every other "
        "member is near a core user. **Cohesion** is the mean similarity of two members. Users who are not near any "
        "group are in no cluster."
    )
    clusters, totals = published.ask("clusters"), published.ask("clusters_totals")
    figures(totals, TOTALS)
    if clusters.frame.empty:
        st.info("There are no clusters, because too few users have enough in common.")
    else:
        _show_sizes(clusters, totals)
        table(clusters, on_select=lambda row: select_cluster(row["cluster_id"]))
        st.caption("Select a row to open the cluster.")
    with st.expander("Why are there not fewer clusters, or more?", icon=":material/rule:"):
        _explain_search(published)


def _show_sizes(clusters: Answer, totals: Answer) -> None:
    st.subheader("Size and cohesion", divider="gray")
    drawn = clusters.frame.dropna(subset="cohesion")
    if drawn.empty:
        return
    st.altair_chart(charts.sizes(drawn, float(totals.frame["random_similarity"].iloc[0])))
    st.caption(
        "Each point is a cluster. Clusters farther right are larger, and members of higher ones are more alike. The "
        "dashed line is the mean similarity of any two users. The largest clusters are named; point at another to "
        "see its name."
    )


def _explain_search(published: PublishedWarehouse) -> None:
    considered = published.ask("clusters_search")
    if considered.frame.empty:
        st.info("The build considered no eps, because there were too few users.")
        return
    st.markdown(
        "How near must two users be to count as linked? That distance is **eps**. A looser eps leaves fewer users in "
        "no cluster, until unrelated groups merge into one that holds nearly everybody. The build considers every eps "
        "and chooses the loosest whose largest cluster is still small enough."
    )
    for reason in considered.frame.loc[considered.frame["is_chosen"], "reason"]:
        st.markdown(f"{wording.sentence(wording.escaped(reason))}.")
    st.altair_chart(charts.search(considered.frame))
    st.caption("The dashed line is the chosen eps.")
    table(considered)


def _show_one(published: PublishedWarehouse, cluster: int) -> None:
    one, totals = published.ask("clusters_cluster", cluster_id=cluster), published.ask("clusters_totals")
    row = one.frame.iloc[0]
    st.header(wording.escaped(cluster_name(cluster, row["label"])), anchor=False)
    link("Show it on the map", "map", icon=":material/scatter_plot:", cluster=cluster)
    figures(one, FIGURES)
    random = float(totals.frame["random_similarity"].iloc[0])
    if row["cohesion"] > 0 and random > 0:
        st.markdown(
            f"Two members are **{row['cohesion'] / random:.1f} times** as similar as any two users are: "
            f"{row['cohesion']:.3f}, compared with {random:.3f}."
        )
        about(totals)
    st.subheader("What sets it apart", divider="gray")
    _show_tags(published, cluster)
    st.subheader("Typical members", divider="gray")
    table(published.ask("clusters_typical", cluster_id=cluster), on_select=_open_in_find)
    st.caption("The members with the highest mean similarity to the others. Select a row to open the user in Find.")
    st.subheader("Most viewed courses", divider="gray")
    courses = published.ask("clusters_courses", cluster_id=cluster)
    _table_or_message(courses.frame, "No member viewed a course.", lambda: table(courses))
    st.subheader("Levels of the courses", divider="gray")
    levels = published.ask("clusters_levels", cluster_id=cluster)
    st.altair_chart(charts.levels(levels.frame))
    about(levels)
    st.subheader("Nearest clusters", divider="gray")
    near = published.ask("clusters_near", cluster_id=cluster)
    st.markdown(
        "The clusters of the users similar to its members. If few of them are in other clusters, this one stands apart."
    )
    table(near, on_select=lambda other: select_cluster(other["similar_cluster_id"]))
    st.caption("Select a row to open that cluster.")
    outside = published.ask("clusters_outside", cluster_id=cluster)
    with st.expander("Users in no cluster who are nearest to this one", icon=":material/person_add:"):
        _table_or_message(outside.frame, "There are none.", lambda: table(outside, on_select=_open_in_find))


def _show_tags(published: PublishedWarehouse, cluster: int) -> None:
    tags = published.ask("clusters_tags", cluster_id=cluster)
    if tags.frame.empty:
        st.info("No tag that at least a tenth of its members have is more frequent here than among all users.")
        return
    for column, (facet, name) in zip(st.columns(2, gap="large"), FACETS.items(), strict=True):
        of_facet = tags.frame[tags.frame["facet"] == facet]
        with column:
            st.markdown(f"**{name}**")
            if of_facet.empty:
                st.caption("None sets it apart.")
            else:
                st.altair_chart(charts.tags(of_facet))
    st.caption("The number beside a bar says how many times more often members have the tag than all users.")
    with st.expander("As a table"):
        table(tags)


def _table_or_message(frame: pd.DataFrame, message: str, draw: Callable[[], None]) -> None:
    if frame.empty:
        st.info(message)
    else:
        draw()


def _open_in_find(row: pd.Series) -> None:
    """Remember the user to open: Streamlit opens another page only while it draws this one."""
    st.session_state.user_to_open = row["user_handle"]
