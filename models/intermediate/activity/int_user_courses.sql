-- The courses that users viewed, from the views that count as evidence (long enough, inside the window).
-- Grain: one row per user and course.

{%- set max_lines = 1000000000000 %} {#- more than a file can have #}

with

course_views as (

    select * from {{ ref('stg_user_course_views') }}
    where
        view_seconds >= {{ var('min_view_seconds') }}
        and {{ is_in_evidence_window('view_date') }}

),

users as (

    select * from {{ ref('int_users') }}

),

-- The day and the line as one number: an aggregate that orders by two values would be held in memory.
numbered_views as (

    select
        users.user_number,
        course_views.course_id,
        course_views.author_handle,
        course_views.level,
        course_views.view_date,
        course_views.view_seconds,
        (course_views.view_date - date '1900-01-01') * {{ max_lines }} + course_views.line_number as view_number
    from course_views
    inner join users on course_views.user_handle = users.user_handle

)

select
    user_number,
    course_id,
    {{ latest('author_handle', 'view_number') }} as author_handle,
    {{ latest('level', 'view_number') }} as level,
    min(view_date) as first_view_date,
    max(view_date) as last_view_date,
    count(*) as total_views,
    {{ exact_sum('view_seconds') }} as total_view_seconds
from numbered_views
group by user_number, course_id
