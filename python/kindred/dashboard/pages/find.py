"""The page Find: one user, the similar users, why, and what they viewed; or two users side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing.charts import stacked_by_facet
from kindred.dashboard.published import Answer, PublishedWarehouse, named_rows
from kindred.dashboard.widgets.answers import about, figures, table
from kindred.dashboard.widgets.choices import (
    ALL_CLUSTERS,
    cluster_sentence,
    select_user,
    type_user,
    typed_user,
)
from kindred.dashboard.widgets.links import link
from kindred.stores.base import Handle

SHOWN_REASONS = 12
"""The reasons of a pair that are given in words; the table below has all of them."""

EXPLAINED_USERS = 8
"""The number of similar users, the first, whose reasons are given in words."""

PROFILE_FIGURES = ("total_courses", "hours_viewed", "total_interests", "total_assessments", "avg_assessment_score")


def show(published: PublishedWarehouse) -> None:
    """Draw the page; ?user= and ?other= in the URL name the users."""
    st.title("Who is most like a user?")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = type_user("User handle", "user", "for example 42")
        other_typed = type_user("Compare with", "other", "another handle")
        with st.popover("Pick from a list", icon=":material/list:"):
            _show_picker(published)
    handle = typed_user(published, typed)
    if handle is None:
        if not typed.strip():
            _show_start(published)
        return
    other = typed_user(published, other_typed)
    if other == handle:
        st.info("Both handles name the same user. Type another handle to compare with.")
        other = None
    if other is None:
        _show_user(published, handle)
    else:
        _show_pair(published, handle, other)


def _show_start(published: PublishedWarehouse) -> None:
    st.markdown(
        "Type a user handle, or pick one. The page shows the **similar users**, how similar they are and **why**, and "
        "the courses that they viewed and this user has not. A second handle compares two users side by side."
    )
    figures(published.ask("find_totals"))
    st.subheader("The most active users")
    table(published.ask("find_users", cluster_id=ALL_CLUSTERS), on_select=lambda row: _select_user(row["user_handle"]))
    st.caption("Select a row to open the user.")


def _show_picker(published: PublishedWarehouse) -> None:
    clusters = published.ask("clusters").frame
    labels = {ALL_CLUSTERS: "all users", -1: "users in no cluster"} | {
        int(cluster): f"{cluster}: {label}"
        for cluster, label in zip(clusters["cluster_id"], clusters["label"], strict=True)
    }
    cluster = st.selectbox(
        "Of", labels, format_func=lambda cluster: labels.get(cluster, str(cluster)), key="picked_cluster"
    )
    handles = published.ask("find_users", cluster_id=int(cluster)).frame["user_handle"]
    st.selectbox(
        "User, the most active first",
        list(handles),
        index=None,
        format_func=str,
        placeholder="choose a user",
        key="picked_user",
        on_change=_apply_picked_user,
    )


def _apply_picked_user() -> None:
    if st.session_state.picked_user is not None:
        _select_user(st.session_state.picked_user)


def _select_user(user_handle: Handle) -> None:
    select_user("user", user_handle)
    select_user("other", "")


def _compare_with(other_handle: Handle) -> None:
    select_user("other", other_handle)


def _show_user(published: PublishedWarehouse, handle: Handle) -> None:
    _show_profile(published, handle)
    st.subheader("Similar users", divider="gray")
    similar = published.ask("find_similar_users", user_handle=handle)
    if similar.frame.empty:
        st.info(
            "This user has nothing in common with anybody: no other user has the same course, interest or "
            "assessment. Once somebody does, the next build finds similar users."
        )
    else:
        _show_similar_users(published, similar, handle)
        st.subheader("Courses that similar users viewed", divider="gray")
        courses = published.ask("find_courses", user_handle=handle)
        if courses.frame.empty:
            st.info("The similar users viewed no course that this user has not viewed.")
        else:
            table(courses)
    with st.expander("The whole profile: everything that counts for similarity", icon=":material/fingerprint:"):
        table(published.ask("find_features", user_handle=handle))


def _show_profile(published: PublishedWarehouse, handle: Handle, *, is_compared: bool = False) -> None:
    answer = published.ask("find_profile", user_handle=handle)
    user = answer.frame.iloc[0]
    st.header(f"User {wording.escaped(str(handle))}", anchor=False)
    st.markdown(cluster_sentence(user))
    with st.container(horizontal=True):
        for tag in wording.listed(user["top_course_tags"]):
            _badge(tag, "blue")
        if user["main_level"]:
            _badge(user["main_level"], "gray")
    figures(answer, PROFILE_FIGURES)
    with st.container(horizontal=True):
        if is_compared:
            link("Show the similar users", "", icon=":material/person_search:", user=handle)
        link("Show on the map", "map", icon=":material/scatter_plot:", user=handle)
        if user["cluster_id"] >= 0:
            link("Show the cluster", "clusters", icon=":material/bubble_chart:", cluster=user["cluster_id"])


def _badge(text: str, color: Literal["blue", "gray"]) -> None:
    """Show a text in a badge, where Streamlit itself escapes square brackets."""
    st.badge(wording.escaped(text).replace("\\[", "[").replace("\\]", "]"), color=color)


def _show_similar_users(published: PublishedWarehouse, similar: Answer, handle: Handle) -> None:
    frame = similar.frame
    parts = published.ask("find_parts", user_handle=handle)
    chart, reasons = st.columns([5, 4], gap="large")
    with chart:
        labels = frame["similar_user_handle"].map(str)
        drawn = parts.frame.assign(user=parts.frame["similar_user_handle"].map(str))
        st.altair_chart(stacked_by_facet(published, drawn, "user", list(labels)))
        st.caption(
            "Users are in the order of their ranks: by similarity after the hub correction, which lowers users who are "
            "near to everybody."
        )
        about(parts)
    with reasons:
        st.markdown("**The main reasons**")
        for row in named_rows(frame.head(EXPLAINED_USERS)):
            reasons_of_user = "; ".join(
                wording.reason(r["facet"], r["feature"], handle, row.similar_user_handle) for r in row.top_reasons
            )
            st.markdown(
                f"{row.rank}. **{wording.escaped(str(row.similar_user_handle))}** ({row.similarity:.2f}): "
                f"{reasons_of_user}."
            )
    reasons_in_words = frame["top_reasons"].map(
        lambda reasons: [f"{wording.facet_title(reason['facet'])}: {reason['feature']}" for reason in reasons]
    )
    in_words = frame.assign(top_reasons=reasons_in_words)
    table(replace(similar, frame=in_words), on_select=lambda row: _compare_with(row["similar_user_handle"]))
    st.caption("Select a row to compare the two users.")


def _show_pair(published: PublishedWarehouse, handle: Handle, other: Handle) -> None:
    for column, user_handle in zip(st.columns(2, gap="large"), (handle, other), strict=True):
        with column:
            _show_profile(published, user_handle, is_compared=True)
    answer = published.ask("find_pair", user_handle=handle, other_handle=other)
    frame = answer.frame
    st.subheader(f"Similarity {frame['contribution'].sum():.3f}", divider="gray")
    if frame.empty:
        st.info(wording.escaped(f"Users {handle} and {other} have nothing in common."))
        return
    pair = f"{handle} and {other}"
    parts = frame.groupby("facet", as_index=False).agg(part=("contribution", "sum"))
    st.altair_chart(stacked_by_facet(published, parts.assign(pair=pair), "pair", [pair]))
    st.markdown(
        "\n".join(
            f"- {wording.sentence(wording.reason(row.facet, row.feature, handle, other))} (adds {row.contribution:.3f})"
            for row in named_rows(frame.head(SHOWN_REASONS))
        )
    )
    if len(frame) > SHOWN_REASONS:
        st.caption(f"The table below has all reasons, including {len(frame) - SHOWN_REASONS} smaller ones.")
    table(answer)
