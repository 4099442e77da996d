-- All users who appear in any of the three files about users, inside the evidence window or not.
-- Below the marts, users have numbers from 0 in the order of their handles. Only this table knows which handle each is.
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

handles as (

    select user_handle from course_views

    union

    select user_handle from interests

    union

    select user_handle from assessment_scores

)

select
    row_number() over (order by user_handle) - 1 as user_number,
    user_handle,
    {{ stable_hash('user_handle') }} as tie_key
from handles
order by user_number
