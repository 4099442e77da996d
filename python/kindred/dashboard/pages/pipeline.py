"""The page Pipeline: the last build, what became of every input row, and whether all tests passed."""

from __future__ import annotations

from datetime import UTC, datetime

import altair as alt
import pandas as pd
import streamlit as st

from kindred import __version__
from kindred.dashboard import wording
from kindred.dashboard.drawing import colours
from kindred.dashboard.drawing.charts import BAR_PIXELS, FRAME_PIXELS
from kindred.dashboard.published import Published
from kindred.dashboard.widgets.answers import figures, table
from kindred.dashboard.widgets.choices import choose_filter

PARTS = {
    "rows_kept": ("kept", colours.CATEGORIES[0]),
    "rows_folded": ("folded", colours.CATEGORIES[1]),
    "rows_rejected": ("rejected", colours.CATEGORIES[2]),
}

OLD_DAYS = 1
"""A build that is older is worth a new one: platforms have new rows every day."""


def show(published: Published) -> None:
    """Draw the page; ?file= and ?reason= in the URL filter the rejected rows."""
    st.title("Is the data fresh and sound?")
    build = published.ask("pipeline_build").frame.iloc[0]
    age = (datetime.now(UTC).replace(tzinfo=None) - build["started_at"]).total_seconds()
    st.markdown(f"#### The last build started {_ago(age)}.")
    _next_steps(published, age)
    _build(published, build)
    _files(published)
    _rejected(published)
    _tests(published)
    st.subheader("What is published?", divider="gray")
    table(published.ask("pipeline_tables"))
    with st.expander("The settings of the build", icon=":material/tune:"):
        table(published.ask("pipeline_settings"))


def _ago(seconds: float) -> str:
    """Return how long ago something was, in the largest unit of which there are two or more."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,.0f} {unit} ago"
    return "a minute ago"


def _next_steps(published: Published, age: float) -> None:
    """Say what is to be done, in plain words."""
    steps = []
    tests = published.ask("pipeline_tests_totals").frame.iloc[0]
    if tests["not_passed"]:
        steps.append(
            f"Tests that did not pass: {tests['not_passed']:,}. The first rows under “Did all tests pass?” say which."
        )
    if tests["not_run"]:
        steps.append(
            f"Tests that were not run: {tests['not_run']:,}. Nobody knows whether they hold; `dbt build` runs all."
        )
    files = published.ask("pipeline_files").frame
    if not (without := files.loc[files["rows_read"] == 0, "file"]).empty:
        steps.append(
            f"Files without a row: {wording.escaped(', '.join(without))}. Where there should be some, put them into "
            "`seeds/` or the folder that `KINDRED_DATA_DIR` names, and run `dbt build`."
        )
    reasons = published.ask("pipeline_reasons").frame
    if not reasons.empty:
        first = reasons.iloc[0]
        steps.append(
            f"Rows that could not be used: {reasons['total_rows'].sum():,}. The most frequent reason is "
            f"“{wording.escaped(first['reason'])}”: look at line {first['first_line']} of the file "
            f"{wording.escaped(first['file'])}, correct it at the source, and build again. The others are under "
            "“Which rows could not be used?”."
        )
    if age > OLD_DAYS * 86400:
        steps.append("The build is more than a day old: run `dbt build` to take in what is new in the files.")
    if steps:
        st.warning("**What to do next**\n\n" + "\n".join(f"- {step}" for step in steps), icon=":material/checklist:")
    else:
        st.success(
            "Nothing to do: the build is new, every row could be used and every test passed.",
            icon=":material/check_circle:",
        )


def _build(published: Published, build: pd.Series) -> None:
    answer = published.ask("pipeline_build")
    figures(answer, ("started_at", "statistics_computed_at", "dbt_version", "engine_version"))
    if build["statistics_computed_at"] < build["started_at"]:
        st.caption(
            "The statistics over all users (rarity, which course leads to which, quality) are frozen since an earlier "
            "build, as `freeze_statistics_days` says; `dbt build --full-refresh` computes them anew."
        )
    st.caption(f"Version {build['version']} of the data; these pages are drawn by Kindred {__version__}.")


def _files(published: Published) -> None:
    answer = published.ask("pipeline_files")
    st.subheader("What became of the rows of each file?", divider="gray")
    frame = answer.frame
    shares = frame.melt(["file", "rows_read"], list(PARTS), "part", "rows")
    shares["order"] = shares["part"].map(list(PARTS).index)
    shares["part"] = shares["part"].map(lambda part: PARTS[part][0])
    shares["share"] = shares["rows"] / shares["rows_read"].where(shares["rows_read"] > 0)
    if frame["rows_read"].sum() > 0:
        st.altair_chart(
            alt.Chart(shares[shares["rows"] > 0])
            .mark_bar(cornerRadius=1, size=18)
            .encode(
                x=alt.X("share:Q", title="share of the rows", axis=alt.Axis(format="%", tickCount=5)),
                y=alt.Y("file:N", title=None, axis=alt.Axis(labelFontSize=13, labelLimit=200)),
                color=alt.Color(
                    "part:N",
                    scale=alt.Scale(
                        domain=[name for name, _ in PARTS.values()], range=[colour for _, colour in PARTS.values()]
                    ),
                    legend=alt.Legend(title=None, orient="bottom", symbolType="square", columns=2, labelLimit=200),
                ),
                order=alt.Order("order:Q"),
                tooltip=["file", "part", alt.Tooltip("rows:Q", format=","), alt.Tooltip("share:Q", format=".2%")],
            )
            .properties(height=(BAR_PIXELS + 6) * len(frame) + FRAME_PIXELS)
        )
        st.caption("Folded rows repeat a kept one and mean nothing more; rejected rows cannot be used.")
    table(answer)
    latest = frame["newest_at"].max()
    if pd.notna(latest):
        st.caption(
            f"The newest row is of {latest:%Y-%m-%d}. Where the platform has newer ones, deliver the files anew and "
            "run `dbt build`."
        )


def _rejected(published: Published) -> None:
    st.subheader("Which rows could not be used?", divider="gray")
    answer = published.ask("pipeline_reasons")
    if answer.frame.empty:
        st.success("None: every row of every file could be used.", icon=":material/check_circle:")
        return
    table(answer, on_choose=_look_at)
    st.caption("Choose a row to see only those below.")
    files = sorted(set(answer.frame["file"]))
    with st.container(horizontal=True):
        file = choose_filter("File", files, key="file", width=240)
        reasons = sorted(set(answer.frame["reason"]))
        reason = choose_filter("Reason", reasons, key="reason", width=420)
    rows = published.ask("pipeline_rejected", file=file, reason=reason)
    if rows.frame.empty:
        st.info("No row of that file was rejected for that reason.")
    else:
        table(rows)
        st.caption("The first 100 at most; all are in the table rejected_rows. Line 2 is the first below the header.")


def _look_at(row: pd.Series) -> None:
    """Filter the rejected rows by a file and a reason: the fields and the URL follow."""
    st.session_state.file, st.session_state.reason = row["file"], row["reason"]


def _tests(published: Published) -> None:
    st.subheader("Did all tests pass?", divider="gray")
    figures(published.ask("pipeline_tests_totals"))
    table(published.ask("pipeline_tests"))
