"""The page Pipeline: the last build, what happened to every input row, and whether all tests passed."""

from __future__ import annotations

from datetime import UTC, datetime

import altair as alt
import pandas as pd
import streamlit as st

from kindred import __version__
from kindred.dashboard import wording
from kindred.dashboard.drawing import colours
from kindred.dashboard.drawing.charts import BAR_PIXELS, FRAME_PIXELS
from kindred.dashboard.published import PublishedWarehouse
from kindred.dashboard.widgets.answers import figures, table
from kindred.dashboard.widgets.choices import choose_filter

PARTS = {
    "rows_kept": ("kept", colours.CATEGORIES[0]),
    "rows_folded": ("folded", colours.CATEGORIES[1]),
    "rows_rejected": ("rejected", colours.CATEGORIES[2]),
}

OLD_DAYS = 1
"""The age of a build, in days, from which the page suggests a new one: platforms have new rows every day."""


def show(published: PublishedWarehouse) -> None:
    """Draw the page; ?file= and ?reason= in the URL filter the rejected rows."""
    st.title("Is the data fresh and valid?")
    build = published.ask("pipeline_build").frame.iloc[0]
    age = (datetime.now(UTC).replace(tzinfo=None) - build["started_at"]).total_seconds()
    st.markdown(f"#### The last build started {_ago(age)}.")
    _show_next_steps(published, age)
    _build(published, build)
    _show_files(published)
    _show_rejected(published)
    _show_tests(published)
    st.subheader("Which tables are published?", divider="gray")
    table(published.ask("pipeline_tables"))
    with st.expander("The settings of the build", icon=":material/tune:"):
        table(published.ask("pipeline_settings"))


def _ago(seconds: float) -> str:
    """Return how long ago something was, in the largest unit that gives two or more."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:,.0f} {unit} ago"
    return "a minute ago"


def _show_next_steps(published: PublishedWarehouse, age: float) -> None:
    """Say what to do next, in plain words."""
    steps = []
    tests = published.ask("pipeline_tests_totals").frame.iloc[0]
    if tests["not_passed"]:
        steps.append(f"Tests that did not pass: {tests['not_passed']:,}. They come first under “Did all tests pass?”.")
    if tests["not_run"]:
        steps.append(f"Tests that were not run: {tests['not_run']:,}. Run `dbt build` to run all tests.")
    files = published.ask("pipeline_files").frame
    if not (without := files.loc[files["rows_read"] == 0, "file"]).empty:
        steps.append(
            f"Files without a row: {wording.escaped(', '.join(without))}. If they should have rows, put the files into "
            "`seeds/` or the folder that `KINDRED_DATA_DIR` names, and run `dbt build`."
        )
    reasons = published.ask("pipeline_reasons").frame
    if not reasons.empty:
        first = reasons.iloc[0]
        steps.append(
            f"Rows that could not be used: {reasons['total_rows'].sum():,}. The most frequent reason is "
            f"“{wording.escaped(first['reason'])}”: look at line {first['first_line']} of the file "
            f"{wording.escaped(first['file'])}, correct it at the source, and build again. The other rows are under "
            "“Which rows could not be used?”."
        )
    if age > OLD_DAYS * 86400:
        steps.append("The build is more than a day old. Run `dbt build` to read new rows from the files.")
    if steps:
        st.warning("**What to do next**\n\n" + "\n".join(f"- {step}" for step in steps), icon=":material/checklist:")
    else:
        st.success(
            "Nothing to do: the build is recent, every row could be used and every test passed.",
            icon=":material/check_circle:",
        )


def _build(published: PublishedWarehouse, build: pd.Series) -> None:
    answer = published.ask("pipeline_build")
    figures(answer, ("started_at", "statistics_computed_at", "dbt_version", "engine_version"))
    if build["statistics_computed_at"] < build["started_at"]:
        st.caption(
            "The statistics over all users (rarity, which course leads to which, quality) are frozen since an earlier "
            "build, as `freeze_statistics_days` says; `dbt build --full-refresh` computes them again."
        )
    st.caption(f"Version {build['version']} of the data, shown by Kindred {__version__}.")


def _show_files(published: PublishedWarehouse) -> None:
    answer = published.ask("pipeline_files")
    st.subheader("What happened to the rows of each file?", divider="gray")
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
        st.caption("Folded rows repeat a kept row and add nothing to it. Rejected rows cannot be used.")
    table(answer)
    latest = frame["newest_at"].max()
    if pd.notna(latest):
        st.caption(
            f"The newest row is from {latest:%Y-%m-%d}. If the platform has newer rows, deliver the files again and "
            "run `dbt build`."
        )


def _show_rejected(published: PublishedWarehouse) -> None:
    st.subheader("Which rows could not be used?", divider="gray")
    answer = published.ask("pipeline_reasons")
    if answer.frame.empty:
        st.success("Every row of every file could be used.", icon=":material/check_circle:")
        return
    table(answer, on_select=_filter_rejected)
    st.caption("Select a row to filter the table below.")
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
        st.caption(
            "These are the first 100 rows; the table rejected_rows has all. Line 2 is the first line below the header."
        )


def _filter_rejected(row: pd.Series) -> None:
    """Filter the rejected rows by a file and a reason; the fields and the URL follow."""
    st.session_state.file, st.session_state.reason = row["file"], row["reason"]


def _show_tests(published: PublishedWarehouse) -> None:
    st.subheader("Did all tests pass?", divider="gray")
    figures(published.ask("pipeline_tests_totals"))
    table(published.ask("pipeline_tests"))
