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
    st.page_link(_page(path), label=label, icon=icon, query_params=_texts(parameters))


def go(path: str, **parameters: object) -> None:
    """Leave the page for another one, as if by a link."""
    st.switch_page(_page(path), query_params=_texts(parameters))


def _page(path: str) -> st.Page:
    # Streamlit tells pages apart by their path: this need not be the page that the app has made.
    return st.Page(_nothing, title=path or "start", url_path=path, default=not path)


def _texts(parameters: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items()}


def _nothing() -> None:
    """Stand for what a page draws."""
