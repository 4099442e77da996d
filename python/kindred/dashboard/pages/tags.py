"""The page Tags: how the tags of courses, interests and assessments became subjects, and which merges are doubtful."""

from __future__ import annotations

import csv
import io

import altair as alt
import pandas as pd
import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing import colours
from kindred.dashboard.drawing.charts import BAR_PIXELS
from kindred.dashboard.published import PublishedWarehouse, named_rows
from kindred.dashboard.widgets.answers import about, figures, table
from kindred.dashboard.widgets.choices import choose_filter

VOCABULARIES = ("course", "interest", "assessment")

SUBJECT_FIGURES = (
    "total_courses",
    "total_viewers",
    "total_followers",
    "total_assessed_users",
    "avg_assessment_score",
)

AXIS_PIXELS = 60

OVERLAP_BARS = (("as_written_share", "as written"), ("as_subjects_share", "as subjects"))


def show(published: PublishedWarehouse) -> None:
    """Draw the page; ?search=, ?vocabulary= and ?method= in the URL filter, ?tag= names a subject."""
    st.title("Which tags mean the same?")
    st.markdown(
        "Courses, interests and assessments each have their own tags and spellings. Spellings that mean the same are "
        "merged into one **subject**, so that a user who follows *c#* matches one who viewed *c-sharp*."
    )
    figures(published.ask("tags_totals"))
    subjects = list(published.ask("tags_subjects", search="").frame["canonical_tag"])
    if not subjects:
        st.info("No input file has a tag.", icon=":material/label_off:")
        return
    tag = st.selectbox(
        "Subject",
        subjects,
        index=None,
        placeholder="type or choose a subject",
        key="tag",
        bind="query-params",
        width=360,
    )
    if tag is not None:
        _show_subject(published, tag)
    _show_rules(published)
    _show_merges(published)
    _show_overlap(published)


def _select_subject(tag: str) -> None:
    """Select a subject; the field and the URL follow."""
    st.session_state.tag = tag
    st.toast(f"{wording.escaped(tag)} is shown at the top of the page.", icon=":material/vertical_align_top:")


def _show_subject(published: PublishedWarehouse, tag: str) -> None:
    with st.container(border=True):
        st.header(wording.escaped(tag), anchor=False)
        figures(published.ask("tags_subject", tag=tag), SUBJECT_FIGURES)
        spellings, links = st.columns(2, gap="large")
        with spellings:
            st.markdown("**Its spellings**")
            answer = published.ask("tags_spellings", tag=tag)
            table(answer)
        with links:
            st.markdown("**Related subjects**")
            related = published.ask("tags_links", tag=tag)
            if related.frame.empty:
                st.info("No other subject is related to it with enough certainty.")
            else:
                table(related, on_select=lambda row: _select_subject(row["other_tag"]))
                st.caption("Select a row to open that subject.")
        with st.expander("Is a spelling wrong here, or missing?", icon=":material/edit:"):
            _show_overrides(answer.frame, tag)


def _show_overrides(spellings: pd.DataFrame, tag: str) -> None:
    """Show the lines of tag_overrides.csv that change a subject."""
    st.markdown(
        "Add a line to `seeds/tag_overrides.csv`, with your reason in place of *why*, and run `dbt build`. "
        "If a line cannot be applied, the build stops and says why."
    )
    own_name = _delivered_name(spellings, tag)
    merged = spellings[spellings["method"] != "identical"]
    for row in named_rows(merged.drop_duplicates("raw_tag")):
        if row.method == "override":
            st.markdown(f"**{wording.escaped(row.raw_tag)}** comes from such a line. Remove the line to undo it.")
        else:
            st.markdown(f"To remove **{wording.escaped(row.raw_tag)}** from this subject:")
            st.code(_override_line("separate", row.raw_tag, own_name), language="csv", wrap_lines=True)
    st.markdown("To add another tag to this subject, put its name in place of *another-tag*:")
    st.code(_override_line("merge", "another-tag", own_name), language="csv", wrap_lines=True)


def _delivered_name(spellings: pd.DataFrame, tag: str) -> tuple[str, str]:
    """Return the spelling that names a subject, and its vocabulary if the name of the subject includes it."""
    for row in named_rows(spellings):
        if tag == f"{row.raw_tag} ({row.vocabulary})":
            return row.raw_tag, row.vocabulary
    return tag, ""


def _override_line(action: str, tag: str, other: tuple[str, str]) -> str:
    """Return a line of tag_overrides.csv; a blank vocabulary stands for all of them."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([action, tag, "", *other, "why"])
    return line.getvalue()


def _show_rules(published: PublishedWarehouse) -> None:
    answer = published.ask("tags_methods")
    if answer.frame.empty:
        return
    st.subheader("Which rules merged spellings?", divider="gray")
    chart, rules = st.columns([4, 5], gap="large")
    with chart:
        frame = answer.frame.assign(name=[f"{row.method} ({row.score:g})" for row in named_rows(answer.frame)])
        st.altair_chart(
            alt.Chart(frame)
            .mark_bar(cornerRadius=1, size=16, color=colours.CATEGORIES[0])
            .encode(
                x=alt.X("total_merges:Q", title="merged spellings", axis=alt.Axis(tickMinStep=1, tickCount=5)),
                y=alt.Y("name:N", sort=list(frame["name"]), title=None, axis=alt.Axis(labelFontSize=13)),
                tooltip=["method", "rule_text", "score", "total_merges", "example"],
            )
            .properties(height=(BAR_PIXELS + 6) * len(frame) + AXIS_PIXELS)
        )
        st.caption("The number in brackets says how safe the rule is, from 0 to 1. The least safe rule is at the top.")
        about(answer)
    with rules:
        st.markdown(
            "\n".join(
                f"- **{row.method}**: the spelling {row.rule_text}; for example {wording.escaped(row.example)}"
                for row in named_rows(answer.frame)
            )
        )


def _show_merges(published: PublishedWarehouse) -> None:
    st.subheader("Which merges are doubtful?", divider="gray")
    methods = list(published.ask("tags_methods").frame["method"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input("Search", key="search", placeholder="part of a tag", bind="query-params", width=220)
        vocabulary = choose_filter("Vocabulary", VOCABULARIES, key="vocabulary", width=160)
        method = choose_filter("Rule", methods, key="method", width=160)
    search = search.strip()
    merges = published.ask("tags_merges", search=search, vocabulary=vocabulary, method=method)
    if merges.frame.empty:
        st.info("No merged spelling matches.")
    else:
        table(merges, on_select=lambda row: _select_subject(row["canonical_tag"]))
        st.caption(
            "The least safe merges come first. Select a row to open its subject and to see how to undo the merge."
        )
    if search:
        found = published.ask("tags_subjects", search=search)
        st.markdown(f"**Subjects with “{wording.escaped(search)}” in any spelling**")
        if found.frame.empty:
            st.info("No subject matches.")
        else:
            table(found, on_select=lambda row: _select_subject(row["canonical_tag"]))


def _show_overlap(published: PublishedWarehouse) -> None:
    answer = published.ask("tags_overlap")
    if answer.frame.empty:
        return
    st.subheader("What does merging gain?", divider="gray")
    names = dict(OVERLAP_BARS)
    frame = answer.frame.melt("pair", list(names), "kind", "share").assign(kind=lambda rows: rows["kind"].map(names))
    st.altair_chart(
        alt.Chart(frame)
        .mark_bar(cornerRadius=1)
        .encode(
            x=alt.X("share:Q", title="share of the tags", axis=alt.Axis(format="%", tickCount=5)),
            y=alt.Y("pair:N", title=None, axis=alt.Axis(labelFontSize=13, labelLimit=180)),
            yOffset=alt.YOffset("kind:N", sort=list(names.values())),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(names.values()), range=[colours.NONE, colours.CATEGORIES[0]]),
                legend=alt.Legend(title=None, orient="bottom", symbolType="square"),
            ),
            tooltip=["pair", "kind", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=2 * BAR_PIXELS * len(answer.frame) + 2 * AXIS_PIXELS)
    )
    st.caption(
        "The share of tags of one vocabulary that another one has: “assessment as course” counts the tags of "
        "assessments that courses have as well. Merging gains the difference between the two bars of a pair."
    )
    about(answer)
