"""The page Tags: how the tags of courses, interests and assessments became subjects, the doubtful merges first."""

from __future__ import annotations

import csv
import io

import altair as alt
import pandas as pd
import streamlit as st

from kindred.dashboard import wording
from kindred.dashboard.drawing import colours
from kindred.dashboard.drawing.charts import BAR_PIXELS
from kindred.dashboard.published import Published
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


def show(published: Published) -> None:
    """Draw the page; ?search=, ?vocabulary= and ?method= in the URL filter, ?tag= names a subject."""
    st.title("Which tags mean the same?")
    st.markdown(
        "Courses, interests and assessments have tags of their own, each in its own spelling. Spellings that mean the "
        "same are merged into one **subject**, so that a user who follows *c#* meets one who viewed *c-sharp*."
    )
    figures(published.ask("tags_totals"))
    subjects = list(published.ask("tags_subjects", search="").frame["canonical_tag"])
    if not subjects:
        st.info("No input file has any tag.", icon=":material/label_off:")
        return
    tag = st.selectbox(
        "Look at one subject",
        subjects,
        index=None,
        placeholder="type or choose a subject",
        key="tag",
        bind="query-params",
        width=360,
    )
    if tag is not None:
        _subject(published, tag)
    _rules(published)
    _merges(published)
    _overlap(published)


def _look_at(tag: str) -> None:
    """Make it the subject of the page: the field and the URL follow."""
    st.session_state.tag = tag
    st.toast(f"{wording.escaped(tag)} is shown at the top of the page.", icon=":material/vertical_align_top:")


def _subject(published: Published, tag: str) -> None:
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
                st.info("No other subject is related to it surely enough.")
            else:
                table(related, on_choose=lambda row: _look_at(row["other_tag"]))
                st.caption("Choose a row to look at that subject.")
        with st.expander("Is a spelling wrong here, or one missing?", icon=":material/edit:"):
            _overrides(answer.frame, tag)


def _overrides(spellings: pd.DataFrame, tag: str) -> None:
    """Show the lines with which an owner has the last word."""
    st.markdown(
        "Add a line to `seeds/tag_overrides.csv`, with your reason in place of *why*, and run `dbt build`. "
        "A line that cannot be carried out stops the build and says what is wrong."
    )
    own_name = _delivered(spellings, tag)
    merged = spellings[spellings["method"] != "identical"]
    for row in merged.drop_duplicates("raw_tag").itertuples():
        if row.method == "override":
            st.markdown(f"**{wording.escaped(row.raw_tag)}** is here by such a line: take that line out to undo it.")
        else:
            st.markdown(f"To take **{wording.escaped(row.raw_tag)}** out of this subject:")
            st.code(_line("separate", row.raw_tag, own_name), language="csv", wrap_lines=True)
    st.markdown("To make another tag this subject, put its name in place of *another-tag*:")
    st.code(_line("merge", "another-tag", own_name), language="csv", wrap_lines=True)


def _delivered(spellings: pd.DataFrame, tag: str) -> tuple[str, str]:
    """Return the spelling after which a subject is named, and its vocabulary where the name is not as delivered."""
    for row in spellings.itertuples():
        if tag == f"{row.raw_tag} ({row.vocabulary})":
            return row.raw_tag, row.vocabulary
    return tag, ""


def _line(action: str, tag: str, other: tuple[str, str]) -> str:
    """Return a line of tag_overrides.csv; a blank vocabulary stands for all."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([action, tag, "", *other, "why"])
    return line.getvalue()


def _rules(published: Published) -> None:
    answer = published.ask("tags_methods")
    if answer.frame.empty:
        return
    st.subheader("By which rule were spellings merged?", divider="gray")
    chart, rules = st.columns([4, 5], gap="large")
    with chart:
        frame = answer.frame.assign(name=[f"{row.method} ({row.score:g})" for row in answer.frame.itertuples()])
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
        st.caption("In brackets how safe the rule is, from 0 to 1; the least safe stands on top.")
        about(answer)
    with rules:
        st.markdown(
            "\n".join(
                f"- **{row.method}**: the spelling {row.rule_text}; for example {wording.escaped(row.example)}"
                for row in answer.frame.itertuples()
            )
        )


def _merges(published: Published) -> None:
    st.subheader("Which merges are doubtful?", divider="gray")
    methods = list(published.ask("tags_methods").frame["method"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input("Search", key="search", placeholder="part of a tag", bind="query-params", width=220)
        vocabulary = choose_filter("Vocabulary", VOCABULARIES, key="vocabulary", width=160)
        method = choose_filter("Rule", methods, key="method", width=160)
    search = search.strip()
    merges = published.ask("tags_merges", search=search, vocabulary=vocabulary, method=method)
    if merges.frame.empty:
        st.info("No merged spelling is like that.")
    else:
        table(merges, on_choose=lambda row: _look_at(row["canonical_tag"]))
        st.caption(
            "The least safe merges stand first. Choose a row to look at its subject, and at how to undo the merge."
        )
    if search:
        found = published.ask("tags_subjects", search=search)
        st.markdown(f"**Subjects with “{wording.escaped(search)}” in any spelling**")
        if found.frame.empty:
            st.info("There is no such subject.")
        else:
            table(found, on_choose=lambda row: _look_at(row["canonical_tag"]))


def _overlap(published: Published) -> None:
    answer = published.ask("tags_overlap")
    if answer.frame.empty:
        return
    st.subheader("What did merging gain?", divider="gray")
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
        "How many tags of one kind the other kind has: “assessment as course” are the tags of assessments that courses "
        "have as well. What the lower bar of each pair is longer, merging gained."
    )
    about(answer)
