-- The views of courses. A repeated row is a repeated view, so it stays. Levels that differ in the case of their letters
-- are one level, in the spelling of most views.
-- Grain: one row per view (line_number).

with

course_views as (

    select * from {{ ref('base_user_course_views') }}

),

level_spellings as (

    select
        lower(level) as level_key,
        level as level_spelling
    from course_views
    where reject_reason is null and level is not null
    group by level
    qualify row_number() over (partition by lower(level) order by count(*) desc, min(line_number)) = 1

)

select
    course_views.line_number,
    course_views.user_handle,
    course_views.view_date,
    course_views.course_id,
    course_views.author_handle,
    level_spellings.level_spelling as level,
    course_views.view_seconds
from course_views
left join level_spellings on lower(course_views.level) = level_spellings.level_key
where course_views.reject_reason is null
