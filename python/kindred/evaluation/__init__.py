"""How good neighbours, facets and clusters are, measured on courses that are hidden from them."""

__all__ = ["cluster_metrics", "hold_outs", "methods", "platform", "ranking_metrics", "report", "weight_search"]
