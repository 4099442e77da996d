"""What a user did, as weighted features: facets, their weights, and the courses that are likely next."""

__all__ = ["facets", "matrix", "next_courses", "weighting"]
