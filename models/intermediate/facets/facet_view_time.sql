-- Facet: how long users viewed each course, in multiples of their own median, so that slow and fast users compare. A
-- cap (view_time_max_medians) keeps a window that was left open from counting as interest.
-- Grain: one row per user and course.

with

user_courses as not materialized (

    select * from {{ ref('int_user_courses') }}

),

user_medians as (

    select
        user_number,
        median(total_view_seconds) as median_view_seconds
    from user_courses
    group by user_number

)

select
    user_courses.user_number,
    user_courses.course_id,
    user_courses.course_id as feature,
    least(
        user_courses.total_view_seconds / user_medians.median_view_seconds,
        {{ var('view_time_max_medians') }}
    ) as occurrences
from user_courses
inner join user_medians on user_courses.user_number = user_medians.user_number
where
    user_medians.median_view_seconds > 0
    and user_courses.total_view_seconds > 0
