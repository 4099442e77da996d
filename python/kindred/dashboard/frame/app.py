"""The frame around the pages, which Streamlit runs again after each action of a reader."""

from functools import partial

import streamlit as st

from kindred.dashboard.pages import clusters, find, pipeline, quality, tags, user_map
from kindred.dashboard.published import PublishedWarehouse, open_published
from kindred.errors import KindredError

ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 38 26'><circle cx='13' cy='13' r='12' "
    "fill='%234477AA'/><circle cx='25' cy='13' r='12' fill='%23EE6677' fill-opacity='.85'/></svg>"
)

LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 118 26" height="26">
<circle cx="13" cy="13" r="12" fill="#4477AA"/><circle cx="25" cy="13" r="12" fill="#EE6677" fill-opacity=".85"/>
<text x="44" y="20" font-family="sans-serif" font-size="19" font-weight="600" fill="#7a8899"
 textLength="72" lengthAdjust="spacingAndGlyphs">Kindred</text></svg>"""

PAGES = (
    ("Find", "", find.show, ":material/person_search:"),
    ("Map", "map", user_map.show, ":material/scatter_plot:"),
    ("Clusters", "clusters", clusters.show, ":material/bubble_chart:"),
    ("Tags", "tags", tags.show, ":material/label:"),
    ("Quality", "quality", quality.show, ":material/speed:"),
    ("Pipeline", "pipeline", pipeline.show, ":material/conversion_path:"),
)

WATCH_SECONDS = 5
"""How often an open page checks for a new version."""


def main() -> None:
    """Show the page that the reader is on."""
    st.set_page_config(page_title="Kindred", page_icon=ICON, layout="wide")
    st.logo(LOGO, size="large")
    st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; }</style>")  # by default a quarter of a phone is blank
    try:
        published = open_published()
        page = st.navigation(
            [
                st.Page(partial(show, published), title=title, url_path=path, icon=icon, default=not path)
                for title, path, show, icon in PAGES
            ],
            position="top",
        )
        _announce_new_version(published)
        if published.edition.users == 0:
            st.info(
                "The warehouse has no users, because no input file has a usable row. The page Pipeline shows what "
                "happened to the rows.",
                icon=":material/info:",
            )
        page.run()
        _show_version(published)
    except KindredError as error:
        st.title("Kindred")
        st.warning(str(error), icon=":material/warehouse:")
        if st.button("Try again", icon=":material/refresh:", type="primary"):
            st.rerun()


def _announce_new_version(published: PublishedWarehouse) -> None:
    version = published.edition.version
    if st.session_state.setdefault("version", version) != version:
        st.session_state.version = version
        st.toast(f"This page now shows a new version: {version}.", icon=":material/update:")


@st.fragment(run_every=WATCH_SECONDS)
def _show_version(published: PublishedWarehouse) -> None:
    """Show the version of the page, and offer a newer one when it is published."""
    is_current = True
    try:
        is_current = open_published().file == published.file
    except KindredError:
        st.caption("The warehouse has been removed. This page shows what was read before.")
    if is_current:
        st.caption(f"Version {published.edition.version}, built {published.edition.built_at.replace('T', ' ')} UTC")
    elif st.button("A new version has been published. Show it", icon=":material/update:", type="primary"):
        st.rerun()


main()
