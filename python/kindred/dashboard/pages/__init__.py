"""The pages of the dashboard, one module each."""

__all__ = ["clusters", "find", "pipeline", "quality", "tags", "user_map"]
