"""The pages of the dashboard, a module each."""

__all__ = ["clusters", "find", "pipeline", "quality", "tags", "user_map"]
