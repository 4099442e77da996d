"""The graph of shared neighbours, and what is read from it: clusters of users and their map."""

__all__ = ["clusters", "eps_search", "hierarchy", "layout", "shared_neighbours", "user_map"]
