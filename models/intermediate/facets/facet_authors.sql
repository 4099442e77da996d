-- Facet: the authors whose courses users viewed.
-- Grain: one row per user and course with an author.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    user_number,
    course_id,
    cast(author_handle as varchar) as feature,
    cast(1 as double) as occurrences
from user_courses
where author_handle is not null
