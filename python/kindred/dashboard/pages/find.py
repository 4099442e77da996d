"""The page Find: one user, the closest users, why, and what those took; or two users side by side."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing.charts import stacked_by_facet
from kindred.dashboard.published import Answer, Published
from kindred.dashboard.widgets.answers import about, figures, table
from kindred.dashboard.widgets.choices import ALL_CLUSTERS, group_of, typed_user
from kindred.dashboard.widgets.links import link

SHOWN_REASONS = 12
"""Reasons of a pair that are put into words; the table below them has all."""

WORDED_USERS = 8
"""Closest users whose reasons are put into words."""

PROFILE_FIGURES = ("total_courses", "hours_viewed", "total_interests", "total_assessments", "avg_assessment_score")


def show(published: Published) -> None:
    """Draw the page; ?user= and ?other= in the URL say whom of."""
    st.title("Who is most like a user?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input("User handle", key="user", placeholder="for example 42", bind="query-params", width=220)
        other_typed = st.text_input(
            "Compare with", key="other", placeholder="another handle", bind="query-params", width=220
        )
        with st.popover("Pick from a list", icon=":material/list:"):
            _pick(published)
    handle = typed_user(published, typed)
    if handle is None:
        if not typed.strip():
            _welcome(published)
        return
    other = typed_user(published, other_typed)
    if other == handle:
        st.info("Both handles are the same user: type another one to compare with.")
        other = None
    if other is None:
        _show_user(published, handle)
    else:
        _show_pair(published, handle, other)


def _welcome(published: Published) -> None:
    st.markdown(
        "Type a user handle, or pick one: you see the **closest users**, how similar they are and **why**, and the "
        "courses that they took and this user has not. A second handle compares two users side by side."
    )
    figures(published.ask("find_totals"))
    st.subheader("The most active users")
    table(published.ask("find_users", cluster_id=ALL_CLUSTERS), on_choose=lambda row: _look_at(row["user_handle"]))
    st.caption("Choose a row to look at the user.")


def _pick(published: Published) -> None:
    clusters = published.ask("clusters").frame
    labels = {ALL_CLUSTERS: "all users", -1: "users in no cluster"} | {
        int(cluster): f"{cluster}: {label}"
        for cluster, label in zip(clusters["cluster_id"], clusters["label"], strict=True)
    }
    cluster = st.selectbox("Of", labels, format_func=labels.get, key="picked_cluster")
    handles = published.ask("find_users", cluster_id=int(cluster)).frame["user_handle"]
    st.selectbox(
        "User, the most active first",
        list(handles),
        index=None,
        format_func=str,
        placeholder="choose a user",
        key="picked_user",
        on_change=_take_picked,
    )


def _take_picked() -> None:
    if st.session_state.picked_user is not None:
        _look_at(st.session_state.picked_user)


def _look_at(user_handle: int) -> None:
    """Make it the user of the page: the field and the URL follow."""
    st.session_state.user = str(user_handle)
    st.session_state.other = ""


def _compare_with(other_handle: int) -> None:
    st.session_state.other = str(other_handle)


def _show_user(published: Published, handle: int) -> None:
    _profile(published, handle)
    st.subheader("Closest users", divider="gray")
    closest = published.ask("find_closest", user_handle=handle)
    if closest.frame.empty:
        st.info(
            "This user has nothing in common with anybody: no course, interest or assessment that another user has. "
            "As soon as there is one, the next build finds who is closest."
        )
    else:
        _closest(published, closest, handle)
        st.subheader("What they took that this user has not", divider="gray")
        courses = published.ask("find_courses", user_handle=handle)
        if courses.frame.empty:
            st.info("The closest users viewed nothing that this user has not.")
        else:
            table(courses)
    with st.expander("The whole profile: everything that counts in a similarity", icon=":material/fingerprint:"):
        table(published.ask("find_features", user_handle=handle))


def _profile(published: Published, handle: int, *, is_compared: bool = False) -> None:
    answer = published.ask("find_profile", user_handle=handle)
    user = answer.frame.iloc[0]
    st.header(f"User {handle}", anchor=False)
    st.markdown(group_of(user))
    with st.container(horizontal=True):
        for tag in (user["top_course_tags"] or "").split(", "):
            if tag:
                st.badge(wording.escaped(tag), color="blue")
        if user["main_level"]:
            st.badge(wording.escaped(user["main_level"]), color="gray")
    figures(answer, PROFILE_FIGURES)
    with st.container(horizontal=True):
        if is_compared:
            link("Show the closest users", "", icon=":material/person_search:", user=handle)
        link("Show on the map", "map", icon=":material/scatter_plot:", user=handle)
        if user["cluster_id"] >= 0:
            link("Show the cluster", "clusters", icon=":material/bubble_chart:", cluster=user["cluster_id"])


def _closest(published: Published, closest: Answer, handle: int) -> None:
    frame = closest.frame
    parts = published.ask("find_parts", user_handle=handle)
    chart, reasons = st.columns([5, 4], gap="large")
    with chart:
        labels = frame["similar_user_handle"].map(str)
        drawn = parts.frame.assign(user=parts.frame["similar_user_handle"].map(str))
        st.altair_chart(stacked_by_facet(published, drawn, "user", list(labels)))
        st.caption(
            "In the order of their ranks, which follow the similarity less a correction for users who are near to "
            "everybody."
        )
        about(parts)
    with reasons:
        st.markdown("**Why: the main reasons**")
        for row in frame.head(WORDED_USERS).itertuples():
            said = "; ".join(
                wording.reason(r["facet"], r["feature"], handle, row.similar_user_handle) for r in row.top_reasons
            )
            st.markdown(f"{row.rank}. **{row.similar_user_handle}** ({row.similarity:.2f}): {said}.")
    worded = frame.assign(
        top_reasons=[
            "; ".join(f"{wording.plain(reason['facet'])}: {reason['feature']}" for reason in reasons)
            for reasons in frame["top_reasons"]
        ]
    )
    table(replace(closest, frame=worded), on_choose=lambda row: _compare_with(row["similar_user_handle"]))
    st.caption("Choose a row to compare the two users.")


def _show_pair(published: Published, handle: int, other: int) -> None:
    for column, user_handle in zip(st.columns(2, gap="large"), (handle, other), strict=True):
        with column:
            _profile(published, user_handle, is_compared=True)
    answer = published.ask("find_pair", user_handle=handle, other_handle=other)
    frame = answer.frame
    st.subheader(f"Similarity {frame['contribution'].sum():.3f}", divider="gray")
    if frame.empty:
        st.info(f"Users {handle} and {other} have nothing in common.")
        return
    pair = f"{handle} and {other}"
    parts = frame.groupby("facet", as_index=False)["contribution"].sum().rename(columns={"contribution": "part"})
    st.altair_chart(stacked_by_facet(published, parts.assign(pair=pair), "pair", [pair]))
    st.markdown(
        "\n".join(
            f"- {wording.sentence(wording.reason(row.facet, row.feature, handle, other))} (adds {row.contribution:.3f})"
            for row in frame.head(SHOWN_REASONS).itertuples()
        )
    )
    if len(frame) > SHOWN_REASONS:
        st.caption(f"and {len(frame) - SHOWN_REASONS} smaller reasons, all of them below.")
    table(answer)
