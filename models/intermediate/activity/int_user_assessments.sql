-- The assessments that users took within the evidence window, in canonical spelling. The latest score counts.
-- Grain: one row per user and canonical tag.

with

assessment_scores as (

    select * from {{ ref('stg_user_assessment_scores') }}
    where {{ is_in_evidence_window('assessed_at') }}

),

users as (

    select * from {{ ref('int_users') }}

),

tag_map as (

    select * from {{ ref('int_tag_map') }}

)

select
    users.user_number,
    tag_map.canonical_tag as assessment_tag,
    count(*) as total_assessments,
    max(assessment_scores.assessed_at) as last_assessed_at,
    {{ latest('assessment_scores.score', 'assessment_scores.assessed_at', 'assessment_scores.score') }} as score
from assessment_scores
inner join users on assessment_scores.user_handle = users.user_handle
inner join tag_map
    on
        assessment_scores.assessment_tag = tag_map.raw_tag
        and tag_map.vocabulary = 'assessment'
group by users.user_number, tag_map.canonical_tag
