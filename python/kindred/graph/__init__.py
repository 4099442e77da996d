"""The graph of shared neighbours, and what is made from it: the clusters of users and their map."""

__all__ = ["clusters", "eps_search", "hierarchy", "layout", "shared_neighbours", "user_map"]
