"""The page Clusters: all of them, or one: what sets it apart, who is in it, what is near."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing import clusters
from kindred.dashboard.published import Answer, Published
from kindred.dashboard.widgets.answers import about, figures, table
from kindred.dashboard.widgets.choices import choose_cluster, cluster_name, look_at_cluster
from kindred.dashboard.widgets.links import go, link

TOTALS = ("clusters", "clustered_share", "largest_cluster_share", "median_users", "median_cohesion")

FIGURES = ("users", "user_share", "core_users", "cohesion", "outside_users")

FACETS = {"course_tags": "Subjects of the courses viewed", "interests": "Interests followed"}


def show(published: Published) -> None:
    """Draw the page; ?cluster= in the URL says which one."""
    if (user := st.session_state.pop("wanted_user", None)) is not None:
        go("", user=user)
    st.title("Clusters of users")
    clusters = published.ask("clusters")
    with st.container(width=420):
        cluster = choose_cluster(clusters.frame, "Cluster", "all clusters")
    if cluster is None:
        _show_all(published)
    else:
        _show_one(published, cluster)


def _show_all(published: Published) -> None:
    st.markdown(
        "A **cluster** is a group of users who are alike; it is found from who is closest to whom, not set by hand. "
        "**Core users** hold it together: they share their closest users with many others; the other members are near "
        "to a core user. **Cohesion** is how similar two members are on average. Who is near to no group is in no "
        "cluster."
    )
    clusters, totals = published.ask("clusters"), published.ask("clusters_totals")
    figures(totals, TOTALS)
    if clusters.frame.empty:
        st.info("There are no clusters: too few users have enough in common.")
    else:
        _show_sizes(clusters, totals)
        table(clusters, on_choose=lambda row: look_at_cluster(row["cluster_id"]))
        st.caption("Choose a row to look at the cluster.")
    with st.expander("Why these clusters, and not fewer or more?", icon=":material/rule:"):
        _explain_search(published)


def _show_sizes(clusters: Answer, totals: Answer) -> None:
    st.subheader("Size and cohesion", divider="gray")
    drawn = clusters.frame.dropna(subset="cohesion")
    if drawn.empty:
        return
    st.altair_chart(clusters.sizes(drawn, float(totals.frame["random_similarity"].iloc[0])))
    st.caption(
        "Each point is a cluster: farther right is larger, higher up is more alike. The dashed line is how similar "
        "any two users are. Point at a cluster to see its name; the largest have theirs."
    )


def _explain_search(published: Published) -> None:
    considered = published.ask("clusters_search")
    if considered.frame.empty:
        st.info("Nothing was considered: there were too few users.")
        return
    st.markdown(
        "How near must two users be to count as linked? That distance is **eps**. A looser one leaves fewer users in "
        "no cluster, until groups that have little to do with each other run together into one that holds nearly "
        "everybody. The build considers every eps and takes the loosest whose largest cluster is still small enough."
    )
    for reason in considered.frame.loc[considered.frame["is_chosen"], "reason"]:
        st.markdown(f"{wording.sentence(wording.escaped(reason))}.")
    st.altair_chart(clusters.search(considered.frame))
    st.caption("The dashed line is the eps that was taken.")
    table(considered)


def _show_one(published: Published, cluster: int) -> None:
    one, totals = published.ask("clusters_cluster", cluster_id=cluster), published.ask("clusters_totals")
    row = one.frame.iloc[0]
    st.header(wording.escaped(cluster_name(cluster, row["label"])), anchor=False)
    link("Show it on the map", "map", icon=":material/scatter_plot:", cluster=cluster)
    figures(one, FIGURES)
    random = float(totals.frame["random_similarity"].iloc[0])
    if row["cohesion"] > 0 and random > 0:
        st.markdown(
            f"Two members are **{row['cohesion'] / random:.1f} times** as similar as any two users are: "
            f"{row['cohesion']:.3f}, and not {random:.3f}."
        )
        about(totals)
    st.subheader("What sets it apart", divider="gray")
    _show_tags(published, cluster)
    st.subheader("Typical members", divider="gray")
    table(published.ask("clusters_typical", cluster_id=cluster), on_choose=_want_user)
    st.caption("Those who are most similar to all the others, on average. Choose a row to open the user in Find.")
    st.subheader("Most viewed courses", divider="gray")
    courses = published.ask("clusters_courses", cluster_id=cluster)
    _or_say(courses.frame, "No member viewed a course.", lambda: table(courses))
    st.subheader("Levels of the courses", divider="gray")
    levels = published.ask("clusters_levels", cluster_id=cluster)
    st.altair_chart(clusters.levels(levels.frame))
    about(levels)
    st.subheader("Nearest clusters", divider="gray")
    near = published.ask("clusters_near", cluster_id=cluster)
    st.markdown("Where the closest users of its members are: the fewer in other clusters, the more it stands alone.")
    table(near, on_choose=lambda other: look_at_cluster(other["similar_cluster_id"]))
    st.caption("Choose a row to look at that cluster.")
    outside = published.ask("clusters_outside", cluster_id=cluster)
    with st.expander("Users in no cluster who are nearest to this one", icon=":material/person_add:"):
        _or_say(outside.frame, "There are none.", lambda: table(outside, on_choose=_want_user))


def _show_tags(published: Published, cluster: int) -> None:
    tags = published.ask("clusters_tags", cluster_id=cluster)
    if tags.frame.empty:
        st.info("No tag is more frequent among a tenth of its members than among all users.")
        return
    for column, (facet, name) in zip(st.columns(2, gap="large"), FACETS.items(), strict=True):
        of_facet = tags.frame[tags.frame["facet"] == facet]
        with column:
            st.markdown(f"**{name}**")
            if of_facet.empty:
                st.caption("None that sets it apart.")
            else:
                st.altair_chart(clusters.tags(of_facet))
    st.caption("How many times more often members have each than all users stands beside the bar.")
    with st.expander("As a table"):
        table(tags)


def _or_say(frame: pd.DataFrame, nothing: str, draw: Callable[[], None]) -> None:
    if frame.empty:
        st.info(nothing)
    else:
        draw()


def _want_user(row: pd.Series) -> None:
    """Remember whom to open: a page cannot be left before it is drawn anew."""
    st.session_state.wanted_user = row["user_handle"]
