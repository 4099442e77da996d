"""What the API takes and what it answers, with examples."""

__all__ = ["examples", "requests", "responses"]
