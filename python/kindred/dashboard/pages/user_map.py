"""The page Map: all users in two dimensions, coloured by cluster."""

from __future__ import annotations

import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing.charts import is_dark
from kindred.dashboard.drawing.user_map import HANDLE_PLACE, drawn_map
from kindred.dashboard.published import Published
from kindred.dashboard.widgets.answers import about, figures
from kindred.dashboard.widgets.choices import ALL_CLUSTERS, choose_cluster, cluster_name, group_of, typed_user
from kindred.dashboard.widgets.links import link

MAP_PIXELS = 620

PHONE_PIXELS = 340
"""The map is as high as a phone is wide: drawn to its height, it is whole."""

SHOWN_USERS = 20_000
"""What a browser draws without a graphics card before a press of the mouse becomes too long for a click; of more, as
many by lot."""

USER_FIGURES = ("total_courses", "total_interests", "total_assessments")


def show(published: Published) -> None:
    """Draw the page; ?user= and ?cluster= in the URL say what to mark."""
    st.title("All users on a map")
    if published.edition.users == 0:
        st.info("There is nobody to draw yet.")
        return
    clusters = published.ask("map_clusters")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=360):
            cluster = choose_cluster(clusters.frame, "Cluster to look at", "all clusters")
        typed = st.text_input("User to mark", key="user", placeholder="for example 42", bind="query-params", width=220)
    user = typed_user(published, typed)
    closest = None if user is None else published.ask("map_closest", user_handle=user)
    are_all_shown = published.edition.users <= SHOWN_USERS
    preferred = ALL_CLUSTERS if cluster is None or are_all_shown else cluster
    users = published.ask("map_users", shown_users=SHOWN_USERS, cluster_id=preferred)
    height = PHONE_PIXELS if _is_phone() else MAP_PIXELS
    drawing, told = st.columns([3, 1], gap="medium")
    with drawing:
        st.pydeck_chart(
            drawn_map(
                users.frame,
                clusters.frame,
                cluster=cluster,
                user=user,
                closest=None if closest is None else closest.frame,
                is_dark=is_dark(),
                height=height,
            ),
            height=height,
            on_select=_take_clicked,
            key="map",
            alt="A map of all users: each a point, near to those who are alike, coloured by cluster",
        )
        st.caption(
            "Each point is a user: **near means alike**, while far distances mean little. A colour is a cluster, and "
            "clusters near to each other have different colours; grey is in no cluster. Drag to move, scroll or "
            "pinch to zoom, point at a user to see who it is, click to choose."
        )
        if not are_all_shown:
            st.caption(
                f"Drawn are {SHOWN_USERS:,} of {published.edition.users:,} users, by lot, but first those of a cluster "
                "that you choose; a user whom you mark is shown in any case."
            )
        about(users)
    with told:
        if user is not None:
            _tell_of_user(published, user)
            about(closest)
        if cluster is not None:
            row = clusters.frame[clusters.frame["cluster_id"] == cluster].iloc[0]
            st.markdown(f"**Cluster {wording.escaped(cluster_name(cluster, row['label']))}**")
            tags = f" Most typical: {wording.escaped(row['top_tags'])}." if isinstance(row["top_tags"], str) else ""
            st.caption(f"{row['users']:,} users.{tags}")
            link("Show the cluster", "clusters", icon=":material/bubble_chart:", cluster=cluster)
            about(clusters)
        if user is None and cluster is None:
            st.info("Click a user to see who it is, or choose a cluster to make the others fade.")


def _is_phone() -> bool:
    """Tell by the word that browsers of phones call themselves by (MDN, "Browser detection using the user agent")."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


def _take_clicked() -> None:
    for rows in st.session_state.map.selection.objects.values():
        st.session_state.user = str(rows[0][HANDLE_PLACE])


def _tell_of_user(published: Published, user_handle: int) -> None:
    answer = published.ask("find_profile", user_handle=user_handle)
    user = answer.frame.iloc[0]
    st.subheader(f"User {user_handle}", anchor=False)
    cluster = int(user["cluster_id"])
    st.markdown(group_of(user))
    if isinstance(user["top_course_tags"], str):
        st.caption(f"Views {wording.escaped(user['top_course_tags'])}")
    figures(answer, USER_FIGURES)
    link("Open in Find", "", icon=":material/person_search:", user=user_handle)
    if cluster >= 0:
        link("Show the cluster", "clusters", icon=":material/bubble_chart:", cluster=cluster)
    st.caption("Lines lead to the closest users.")
