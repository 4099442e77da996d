-- The assessments that users took, as text, from the relation that the var inputs maps them to. Without one, the seed user_assessment_scores is read.
-- Grain: one row per row of the relation.

{{ config(enabled=is_mapped('user_assessment_scores')) }}

{{ mapped_input('user_assessment_scores') }}
