"""The page Map: all users in two dimensions, coloured by cluster."""

from __future__ import annotations

import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing.charts import is_dark
from kindred.dashboard.drawing.user_map import HANDLE_INDEX, drawn_map
from kindred.dashboard.published import PublishedWarehouse
from kindred.dashboard.widgets.answers import about, figures
from kindred.dashboard.widgets.choices import (
    ALL_CLUSTERS,
    choose_cluster,
    cluster_name,
    cluster_sentence,
    select_user,
    type_user,
    typed_user,
)
from kindred.dashboard.widgets.links import link
from kindred.stores.base import Handle

MAP_PIXELS = 620

PHONE_PIXELS = 340
"""The height of the map on a phone, about its width, so that the whole map is visible."""

SHOWN_USERS = 20_000
"""The most users that the map draws; of more, some are chosen at random.

With more points, a browser without a graphics card takes so long for a press of the mouse that it is not a click.
"""

USER_FIGURES = ("total_courses", "total_interests", "total_assessments")


def show(published: PublishedWarehouse) -> None:
    """Draw the page; ?user= and ?cluster= in the URL select what to mark."""
    st.title("All users on a map")
    if published.edition.users == 0:
        st.info("There are no users to draw yet.")
        return
    clusters = published.ask("map_clusters")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container(width=360):
            cluster = choose_cluster(clusters.frame, "Cluster to highlight", "all clusters")
        typed = type_user("User to mark", "user", "for example 42")
    user = typed_user(published, typed)
    similar = None if user is None else published.ask("map_similar_users", user_handle=user)
    is_complete = published.edition.users <= SHOWN_USERS
    drawn_first = ALL_CLUSTERS if cluster is None or is_complete else cluster
    users = published.ask("map_users", shown_users=SHOWN_USERS, cluster_id=drawn_first)
    height = PHONE_PIXELS if _is_phone() else MAP_PIXELS
    drawing, side = st.columns([3, 1], gap="medium")
    with drawing:
        st.pydeck_chart(
            drawn_map(
                users.frame,
                clusters.frame,
                cluster=cluster,
                user=user,
                similar=None if similar is None else similar.frame,
                is_dark=is_dark(),
                height=height,
            ),
            height=height,
            on_select=_apply_clicked_user,
            key="map",
            alt="A map of all users, each a point near similar users, coloured by cluster",
        )
        st.caption(
            "Each point is a user. **Users near each other are alike**; far distances mean little. Each cluster has "
            "one colour, clusters near each other have different colours, and grey users are in no cluster. Drag to "
            "move, scroll or pinch to zoom, point at a user to see the handle, click to mark the user."
        )
        if not is_complete:
            st.caption(
                f"The map shows {SHOWN_USERS:,} of {published.edition.users:,} users, chosen at random. Those of the "
                "highlighted cluster come first, and the marked user is always shown."
            )
        about(users)
    with side:
        if user is not None and similar is not None:
            _show_user(published, user)
            about(similar)
        if cluster is not None:
            row = clusters.frame[clusters.frame["cluster_id"] == cluster].iloc[0]
            st.markdown(f"**Cluster {wording.escaped(cluster_name(cluster, row['label']))}**")
            tags = wording.joined(row["top_tags"])
            st.caption(f"{row['users']:,} users." + (f" Most typical: {wording.escaped(tags)}." if tags else ""))
            link("Show the cluster", "clusters", icon=":material/bubble_chart:", cluster=cluster)
            about(clusters)
        if user is None and cluster is None:
            st.info("Click a point to mark a user, or choose a cluster to fade the others.")


def _is_phone() -> bool:
    """Return whether the browser is on a phone (MDN, "Browser detection using the user agent")."""
    return "Mobi" in st.context.headers.get("User-Agent", "")


def _apply_clicked_user() -> None:
    for rows in st.session_state.map.selection.objects.values():
        select_user("user", rows[0][HANDLE_INDEX])


def _show_user(published: PublishedWarehouse, user_handle: Handle) -> None:
    answer = published.ask("find_profile", user_handle=user_handle)
    user = answer.frame.iloc[0]
    st.subheader(f"User {wording.escaped(str(user_handle))}", anchor=False)
    cluster = int(user["cluster_id"])
    st.markdown(cluster_sentence(user))
    if tags := wording.joined(user["top_course_tags"]):
        st.caption(f"Views courses on {wording.escaped(tags)}")
    figures(answer, USER_FIGURES)
    link("Open in Find", "", icon=":material/person_search:", user=user_handle)
    if cluster >= 0:
        link("Show the cluster", "clusters", icon=":material/bubble_chart:", cluster=cluster)
    st.caption("Lines lead to the similar users.")
