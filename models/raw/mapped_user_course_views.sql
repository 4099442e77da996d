-- The views of courses, as text, from the relation that the var inputs maps them to. Without one, the seed user_course_views is read.
-- Grain: one row per row of the relation.

{{ config(enabled=is_mapped('user_course_views')) }}

{{ mapped_input('user_course_views') }}
