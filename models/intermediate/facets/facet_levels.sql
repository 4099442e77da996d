-- Facet: the levels of the courses that users viewed.
-- Grain: one row per user and level.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    user_handle,
    level as feature,
    cast(count(*) as double) as occurrences
from user_courses
where level is not null
group by user_handle, level
