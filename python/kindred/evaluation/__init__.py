"""The quality of neighbours, facets and clusters, measured on hidden courses."""

__all__ = ["cluster_metrics", "hold_outs", "methods", "platform", "ranking_metrics", "report", "weight_search"]
