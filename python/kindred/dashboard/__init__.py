"""The dashboard: pages for people who would rather look than write SQL."""

__all__ = ["drawing", "frame", "pages", "published", "queries", "widgets", "wording"]
