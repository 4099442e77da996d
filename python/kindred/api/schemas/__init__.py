"""The requests and the answers of the API, with examples."""

__all__ = ["examples", "requests", "responses"]
