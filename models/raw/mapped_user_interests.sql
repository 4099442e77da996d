-- The interests that users follow, as text, from the relation that the var inputs maps them to. Without one, the seed user_interests is read.
-- Grain: one row per row of the relation.

{{ config(enabled=is_mapped('user_interests')) }}

{{ mapped_input('user_interests') }}
