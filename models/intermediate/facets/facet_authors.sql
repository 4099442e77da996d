-- Facet: the authors whose courses users viewed.
-- Grain: one row per user and author.

with

user_courses as (

    select * from {{ ref('int_user_courses') }}

)

select
    user_handle,
    cast(author_handle as varchar) as feature,
    cast(count(*) as double) as occurrences
from user_courses
where author_handle is not null
group by user_handle, author_handle
