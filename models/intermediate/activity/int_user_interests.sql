-- The interests that users follow, in canonical spelling, within the evidence window.
-- Grain: one row per user and canonical tag.

with

interests as (

    select * from {{ ref('stg_user_interests') }}
    where {{ is_in_evidence_window('followed_at') }}

),

users as (

    select * from {{ ref('int_users') }}

),

tag_map as (

    select * from {{ ref('int_tag_map') }}

)

select
    users.user_number,
    tag_map.canonical_tag as interest_tag,
    count(*) as total_follows,
    min(interests.followed_at) as first_followed_at,
    max(interests.followed_at) as last_followed_at
from interests
inner join users on interests.user_handle = users.user_handle
inner join tag_map
    on
        interests.interest_tag = tag_map.raw_tag
        and tag_map.vocabulary = 'interest'
group by users.user_number, tag_map.canonical_tag
