"""Exact nearest neighbours of sparse profiles, their re-ranking, and the reasons for each similarity."""

__all__ = ["all_pairs", "candidates", "lists", "numba_kernel", "pairs", "refresh", "reranking", "scipy_kernel", "top_k"]
