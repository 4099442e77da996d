"""Links from one page of the dashboard to another."""

from __future__ import annotations

import streamlit as st


def link(label: str, path: str, *, icon: str, **parameters: object) -> None:
    """Show a link to a page.

    Parameters
    ----------
    label
        The text of the link.
    path
        The path of the page, as in `PAGES` of `app.py`; the start page has an empty path.
    icon
        An icon of Streamlit, such as ``:material/map:``.
    **parameters
        The parameters of the URL.

    """
    st.page_link(_page(path), label=label, icon=icon, query_params=_texts(parameters))


def open_page(path: str, **parameters: object) -> None:
    """Open another page, as a link does."""
    st.switch_page(_page(path), query_params=_texts(parameters))


def _page(path: str) -> st.Page:
    # Streamlit finds a page by its path, so this object need not be the one in `app.py`.
    return st.Page(_draw_nothing, title=path or "start", url_path=path, default=not path)


def _texts(parameters: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items()}


def _draw_nothing() -> None:
    """Take the place of a page's function, which a link does not run."""
