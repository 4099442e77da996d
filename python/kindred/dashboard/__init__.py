"""The dashboard: pages for people who would rather look than write SQL."""

__all__ = ["app", "drawing", "pages", "published", "queries", "widgets", "wording"]
