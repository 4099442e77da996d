"""The charts and the map of the dashboard."""

__all__ = ["charts", "clusters", "colours", "user_map"]
