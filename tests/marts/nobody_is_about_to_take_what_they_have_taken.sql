-- Nobody is about to take a course that they have viewed: a profile does not match itself there, which the cohesion of
-- clusters relies on.

with

user_features as not materialized (

    select * from {{ ref('user_features') }}

)

select
    user_features.user_handle,
    user_features.feature
from user_features
inner join user_features as taken
    on
        user_features.user_handle = taken.user_handle
        and user_features.feature = taken.feature
where
    user_features.facet = 'next_courses'
    and taken.facet in ('courses', 'taken_courses')
