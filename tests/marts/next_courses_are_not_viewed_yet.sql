-- No predicted next course of a user is a course that the user viewed, so that a profile does not match itself there.
-- The cohesion of clusters relies on it.

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
