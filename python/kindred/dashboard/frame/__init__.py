"""The frame around the pages, apart from them: Streamlit would take a folder `pages` beside its script as its own."""

__all__ = ["app"]
