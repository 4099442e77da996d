-- The courses that users viewed, and how much each is evidence: a glance is no course. A view counts in full from a
-- quarter of the time that is usual for the user, or on the platform if that is longer; below, it counts by its time,
-- but at least glance_weight.
-- Grain: one row per user and course.

{%- set full_view_share = 0.25 %} {#- of the usual time #}

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

usual_view_time as (

    select * from {{ ref('int_usual_view_time') }}

),

user_medians as (

    select
        user_number,
        median(total_view_seconds) as median_view_seconds
    from user_courses
    group by user_number

),

user_times as (

    select
        user_medians.user_number,
        user_medians.median_view_seconds,
        {{ full_view_share }} * case
            when user_medians.median_view_seconds > usual_view_time.usual_view_seconds
                then user_medians.median_view_seconds
            else usual_view_time.usual_view_seconds
        end as full_view_seconds
    from user_medians
    cross join usual_view_time

)

select
    user_courses.user_number,
    user_courses.course_id,
    user_courses.author_handle,
    user_courses.level,
    user_courses.total_view_seconds,
    user_times.median_view_seconds,
    case
        when user_courses.total_view_seconds < user_times.full_view_seconds
            then greatest(user_courses.total_view_seconds / user_times.full_view_seconds, {{ var('glance_weight') }})
        else 1
    end as evidence_share
from user_courses
inner join user_times on user_courses.user_number = user_times.user_number
