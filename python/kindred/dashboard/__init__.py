"""The dashboard: pages for people who look rather than query."""

__all__ = ["app", "drawing", "pages", "published", "queries", "widgets", "wording"]
