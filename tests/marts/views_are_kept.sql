-- No view is lost or counted twice: the views and seconds in user_courses sum to those of staging that count as
-- evidence.

{%- set rounding = 1e-9 %} {#- sums of floating-point numbers may differ by this much #}

with

staged as (

    select
        count(*) as total_views,
        sum(view_seconds) as total_view_seconds,
        count(distinct row(user_handle, course_id)) as total_rows
    from {{ ref('stg_user_course_views') }}
    where
        view_seconds >= {{ var('min_view_seconds') }}
        and {{ is_in_evidence_window('view_date') }}

),

by_course as (

    select
        sum(total_views) as total_views,
        sum(total_view_seconds) as total_view_seconds,
        count(*) as total_rows
    from {{ ref('user_courses') }}

),

by_user as (

    select
        sum(total_views) as total_views,
        sum(total_view_seconds) as total_view_seconds,
        sum(total_courses) as total_rows
    from {{ ref('users') }}

)

select
    staged.total_views,
    by_course.total_views as total_views_by_course,
    by_user.total_views as total_views_by_user
from staged
cross join by_course
cross join by_user
where
    staged.total_views != coalesce(by_course.total_views, 0)
    or staged.total_views != coalesce(by_user.total_views, 0)
    or staged.total_rows != by_course.total_rows
    or staged.total_rows != coalesce(by_user.total_rows, 0)
    or abs(staged.total_view_seconds - by_course.total_view_seconds) > {{ rounding }} * staged.total_view_seconds
    or abs(staged.total_view_seconds - by_user.total_view_seconds) > {{ rounding }} * staged.total_view_seconds
