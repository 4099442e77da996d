-- What users follow, in canonical spelling, within the evidence window.
-- Grain: one row per user and canonical tag.

with

interests as (

    select * from {{ ref('stg_user_interests') }}
    where {{ is_in_evidence_window('followed_at') }}

),

tag_map as (

    select * from {{ ref('int_tag_map') }}

)

select
    interests.user_handle,
    tag_map.canonical_tag as interest_tag,
    count(*) as total_follows,
    min(interests.followed_at) as first_followed_at,
    max(interests.followed_at) as last_followed_at
from interests
inner join tag_map
    on
        interests.interest_tag = tag_map.raw_tag
        and tag_map.vocabulary = 'interest'
group by interests.user_handle, tag_map.canonical_tag
