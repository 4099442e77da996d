"""DynamoDB as a store: one item for each user."""

__all__ = ["client", "documents", "items", "publication", "store", "table"]
