"""DynamoDB as a store: one item for each user."""

__all__ = ["documents", "publication", "store", "table"]
