"""Users who are not in the warehouse: their profile, and the users who are closest to it."""

__all__ = ["activity", "encoder", "profile_space", "spelling"]
