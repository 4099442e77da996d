"""The endpoints of the API."""

__all__ = ["activities", "dependencies", "service", "users"]
