-- What users viewed on single days sums to the totals of every user and of every course.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by so much #}

with

course_views as (

    select * from {{ ref('course_views') }}

),

users as (

    select * from {{ ref('users') }}

),

courses as (

    select * from {{ ref('courses') }}

),

summed_users as (

    select
        user_handle,
        min(view_date) as first_view_date,
        max(view_date) as last_view_date,
        sum(total_views) as total_views,
        sum(total_view_seconds) as total_view_seconds
    from course_views
    group by user_handle

),

summed_courses as (

    select
        course_id,
        sum(total_views) as total_views,
        sum(total_view_seconds) as total_view_seconds
    from course_views
    group by course_id

)

select
    cast(users.user_handle as varchar) as broken,
    users.total_views,
    summed_users.total_views as summed_views
from users
left join summed_users on users.user_handle = summed_users.user_handle
where
    users.first_view_date is distinct from summed_users.first_view_date
    or users.last_view_date is distinct from summed_users.last_view_date
    or users.total_views != coalesce(summed_users.total_views, 0)
    or abs(users.total_view_seconds - coalesce(summed_users.total_view_seconds, 0)) > {{ rounding }} * users.total_view_seconds

union all

select
    courses.course_id as broken,
    courses.total_views,
    summed_courses.total_views as summed_views
from courses
left join summed_courses on courses.course_id = summed_courses.course_id
where
    courses.total_views != coalesce(summed_courses.total_views, 0)
    or abs(courses.total_view_seconds - coalesce(summed_courses.total_view_seconds, 0))
    > {{ rounding }} * courses.total_view_seconds
