-- Plain one-hot profiles: every interest, course and assessment of a user counts the same. They serve only as a
-- baseline: similar_users.cosine_similarity is their plain cosine.
-- Grain: one row per user and feature.

with

user_interests as (

    select * from {{ ref('int_user_interests') }}

),

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

user_assessments as (

    select * from {{ ref('int_user_assessments') }}

),

combined as not materialized (

    select
        user_number,
        1 as kind,
        interest_tag as feature
    from user_interests

    union all

    select
        user_number,
        2 as kind,
        course_id as feature
    from user_courses

    union all

    select
        user_number,
        3 as kind,
        assessment_tag as feature
    from user_assessments

),

features as (

    select
        kind,
        feature,
        row_number() over (order by kind, feature) as feature_id
    from combined
    group by kind, feature

)

select
    combined.user_number,
    features.feature_id
from combined
inner join features
    on
        combined.kind = features.kind
        and combined.feature = features.feature
