"""Links from one page of the dashboard to another."""

from __future__ import annotations

import streamlit as st


def link(label: str, path: str, *, icon: str, **parameters: object) -> None:
    """Show a link to a page, by its path in the URL; the start page is the empty one.

    Parameters
    ----------
    label
        What the link says.
    path
        The page's path, as in the list of pages in `app.py`.
    icon
        A name of Streamlit's, such as ``:material/map:``.
    **parameters
        What stands behind the question mark of the URL.

    """
    # Streamlit tells pages apart by their path: this need not be the page that the app has made.
    page = st.Page(_nothing, title=label, url_path=path, default=not path)
    st.page_link(page, label=label, icon=icon, query_params={key: str(value) for key, value in parameters.items()})


def _nothing() -> None:
    """Stand for what a page draws."""
