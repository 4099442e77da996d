-- The course tags, as text, from the relation that the var inputs maps them to. Without one, the seed course_tags is read.
-- Grain: one row per row of the relation.

{{ config(enabled=is_mapped('course_tags')) }}

{{ mapped_input('course_tags') }}
