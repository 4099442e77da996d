"""Show answers as numbers or as a table, always with their definition, their SQL and a CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from kindred.dashboard.published import Answer
from kindred.dashboard.wording import title

SHOWN_ROWS = 12
"""The rows of a table that are visible without scrolling."""

ROW_PIXELS = 35


def figures(answer: Answer, names: Sequence[str] | None = None) -> None:
    """Show the single row of an answer as numbers; a question mark beside each opens its meaning."""
    row = answer.frame.iloc[0]
    with st.container(horizontal=True, gap="medium"):
        for name in names or answer.frame.columns:
            st.metric(title(name), formatted(name, row[name]), help=answer.meanings.get(name), width="content")
    about(answer)


def table(answer: Answer, *, on_select: Callable[[pd.Series], None] | None = None) -> None:
    """Show an answer as a table.

    Parameters
    ----------
    answer
        The answer to show.
    on_select
        Called with the row that the reader selects, before the page is drawn again; by default rows are not selectable.

    """
    frame = answer.frame
    key = _key(answer)

    def apply_selection() -> None:
        rows = st.session_state[key].selection.rows
        if on_select and rows:
            on_select(frame.iloc[rows[0]])

    options: dict[str, Any] = {"on_select": apply_selection, "selection_mode": "single-row"} if on_select else {}
    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=ROW_PIXELS * (min(max(len(frame), 1), SHOWN_ROWS) + 1) + 3,
        column_config={name: _column_config(answer, name) for name in frame.columns},
        placeholder="",
        **options,
    )
    about(answer)


def about(answer: Answer) -> None:
    """Offer the definition, the SQL and the CSV of the answer shown above."""
    key = _key(answer)
    with st.container(horizontal=True, key=f"about-{key}"):
        with st.popover("Definition and SQL", icon=":material/info:", type="tertiary", key=f"definition-{key}"):
            st.markdown(answer.query.definition)
            meanings = [
                f"- **{column}**: {answer.meanings[column]}"
                for column in answer.frame.columns
                if column in answer.meanings
            ]
            st.markdown("\n".join(meanings))
            st.code(answer.query.filled(answer.parameters), language="sql")
        st.download_button(
            "CSV",
            data=lambda: csv_of(answer.frame),
            file_name=f"kindred-{answer.query.name}.csv",
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key=f"csv-{key}",
        )


def csv_of(frame: pd.DataFrame) -> bytes:
    """Return a frame as CSV; a list is a JSON array, as in the files of `kindred publish csv://`."""
    in_text = {name: frame[name].map(_json) for name in frame.columns if _is_list(frame[name])}
    return frame.assign(**in_text).to_csv(index=False).encode()


def _json(values: Any) -> str | None:
    if not isinstance(values, list | np.ndarray):
        return None
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"), default=int)


def _is_list(series: pd.Series) -> bool:
    """Return whether a column holds lists, some of which may be null."""
    return any(isinstance(value, list | np.ndarray) for value in series)


def _key(answer: Answer) -> str:
    """Return the key of the widgets of an answer, so that a selection in one answer does not carry over to another."""
    return "-".join([answer.query.name, *map(str, answer.parameters.values())])


def formatted(name: str, value: Any) -> str:
    """Return a value as text, formatted by the name of its column: 1000 is 1000 as a rank, 1,000 as a count."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return "none"
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if name.endswith("_date") else f"{value:%Y-%m-%d %H:%M}"
    if _is_identifier(name):
        return str(int(value))
    if name.endswith("_share"):
        return f"{value:.1%}"
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.3f}"


def _column_config(answer: Answer, name: str) -> ColumnConfig:
    """Return the configuration of a column of a table."""
    label, meaning = title(name), answer.meanings.get(name)
    series = answer.frame[name]
    if pd.api.types.is_bool_dtype(series):
        return st.column_config.CheckboxColumn(label, help=meaning)
    if pd.api.types.is_numeric_dtype(series):
        return st.column_config.NumberColumn(label, help=meaning, format=_number_format(name, series))
    if pd.api.types.is_datetime64_any_dtype(series):
        pattern = "YYYY-MM-DD" if name.endswith("_date") else "YYYY-MM-DD HH:mm"
        return st.column_config.DatetimeColumn(label, help=meaning, format=pattern)
    if _is_list(series):
        return st.column_config.ListColumn(label, help=meaning)
    return st.column_config.Column(label, help=meaning)


def _number_format(name: str, series: pd.Series) -> str:
    if _is_identifier(name):
        return "%d"
    if name.endswith("_share"):
        return "percent"
    return "localized" if (series.dropna() % 1 == 0).all() else "%.3f"


def _is_identifier(name: str) -> bool:
    """Return whether a column has numbers that name something, rather than count it."""
    return name.endswith(("_handle", "_id", "rank"))
