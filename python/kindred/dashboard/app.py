"""What Streamlit runs, anew at every step of a reader: the frame around the pages."""

from functools import partial

import streamlit as st

from kindred.dashboard.pages import clusters, find, pipeline, quality, tags, user_map
from kindred.dashboard.published import Published, open_published
from kindred.errors import KindredError

ICON = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 38 26'><circle cx='13' cy='13' r='12' "
    "fill='%234477AA'/><circle cx='25' cy='13' r='12' fill='%23EE6677' fill-opacity='.85'/></svg>"
)

LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 118 26" height="26">
<circle cx="13" cy="13" r="12" fill="#4477AA"/><circle cx="25" cy="13" r="12" fill="#EE6677" fill-opacity=".85"/>
<text x="44" y="20" font-family="sans-serif" font-size="19" font-weight="600" fill="#7a8899">Kindred</text></svg>"""

PAGES = (
    ("Find", "", find.show, ":material/person_search:"),
    ("Map", "map", user_map.show, ":material/scatter_plot:"),
    ("Clusters", "clusters", clusters.show, ":material/bubble_chart:"),
    ("Tags", "tags", tags.show, ":material/label:"),
    ("Quality", "quality", quality.show, ":material/speed:"),
    ("Pipeline", "pipeline", pipeline.show, ":material/conversion_path:"),
)

WATCH_SECONDS = 5
"""How often an open page looks whether something new has been published."""


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
        _tell_of_new_version(published)
        if published.edition.users == 0:
            st.info(
                "The warehouse has no users: none of the input files has a usable row. The page Pipeline says what "
                "became of the rows.",
                icon=":material/info:",
            )
        page.run()
        _watch(published)
    except KindredError as error:
        st.title("Kindred")
        st.warning(str(error), icon=":material/warehouse:")
        if st.button("Look again", icon=":material/refresh:", type="primary"):
            st.rerun()


def _tell_of_new_version(published: Published) -> None:
    version = published.edition.version
    if st.session_state.setdefault("version", version) != version:
        st.session_state.version = version
        st.toast(f"A new version has been published; this page shows it now: {version}.", icon=":material/update:")


@st.fragment(run_every=WATCH_SECONDS)
def _watch(published: Published) -> None:
    """Tell where the numbers are from, and offer a newer version once there is one."""
    is_current = True
    try:
        is_current = open_published().file == published.file
    except KindredError:
        st.caption("The warehouse is gone; what you see was read before.")
    if is_current:
        st.caption(f"Version {published.edition.version}, built {published.edition.built_at.replace('T', ' ')} UTC")
    elif st.button("A new version has been published. Show it", icon=":material/update:", type="primary"):
        st.rerun()


main()
