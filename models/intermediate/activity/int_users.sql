-- All users who appear in any of the three files about users, inside the evidence window or not.
-- Grain: one row per user.

with

course_views as (

    select * from {{ ref('stg_user_course_views') }}

),

interests as (

    select * from {{ ref('stg_user_interests') }}

),

assessment_scores as (

    select * from {{ ref('stg_user_assessment_scores') }}

),

users as (

    select user_handle from course_views

    union

    select user_handle from interests

    union

    select user_handle from assessment_scores

)

select
    user_handle,
    {{ stable_hash('user_handle') }} as tie_key
from users
order by user_handle
