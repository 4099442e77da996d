-- Every course that has tags or was viewed.
-- Grain: one row per course.

with

delivered_courses as (

    select * from {{ ref('stg_course_tags') }}

),

course_tags as (

    select * from {{ ref('int_course_tags') }}

),

user_courses as (

    select * from {{ ref('int_user_courses') }}

),

-- The author and the level come from the views of the course: the latest view counts.
course_details as (

    select
        course_id,
        {{ latest('author_handle', 'last_view_date', 'author_handle') }} as author_handle,
        {{ latest('level', 'last_view_date', 'level') }} as level,
        count(*) as total_users,
        cast(sum(total_views) as bigint) as total_views,
        {{ exact_sum('total_view_seconds') }} as total_view_seconds
    from user_courses
    group by course_id

),

all_courses as (

    select course_id from delivered_courses

    union

    select course_id from course_details

),

listed_tags as (

    select
        course_id,
        {{ list_of('course_tag') }} as course_tags,
        count(*) as total_course_tags
    from course_tags
    group by course_id

)

select
    all_courses.course_id,
    listed_tags.course_tags,
    coalesce(listed_tags.total_course_tags, 0) as total_course_tags,

    -- null for a course that nobody viewed
    course_details.author_handle,
    course_details.level,

    coalesce(course_details.total_users, 0) as total_users,
    coalesce(course_details.total_views, 0) as total_views,
    coalesce(course_details.total_view_seconds, 0) as total_view_seconds
from all_courses
left join listed_tags on all_courses.course_id = listed_tags.course_id
left join course_details on all_courses.course_id = course_details.course_id
order by all_courses.course_id
