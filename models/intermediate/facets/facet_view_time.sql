-- Facet: how long users stayed with the courses that they viewed, in medians of their own, so that slow and fast users
-- compare; at most four, so that a window left open is no passion.
-- Grain: one row per user and course.

with

user_courses as not materialized (

    select * from {{ ref('int_user_courses') }}

),

user_medians as (

    select
        user_handle,
        median(total_view_seconds) as median_view_seconds
    from user_courses
    group by user_handle

)

select
    user_courses.user_handle,
    user_courses.course_id,
    user_courses.course_id as feature,
    least(user_courses.total_view_seconds / user_medians.median_view_seconds, {{ var('view_time_max_medians') }}) as occurrences
from user_courses
inner join user_medians on user_courses.user_handle = user_medians.user_handle
where
    user_medians.median_view_seconds > 0
    and user_courses.total_view_seconds > 0
