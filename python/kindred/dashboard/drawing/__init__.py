"""How the dashboard draws charts and the map."""

__all__ = ["charts", "clusters", "colours", "user_map"]
