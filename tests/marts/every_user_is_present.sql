-- All users whom a usable row of any file names are in users, user_clusters and user_map, and nobody else is.

with

named_users as (

    select user_handle from {{ ref('stg_user_course_views') }}

    union

    select user_handle from {{ ref('stg_user_interests') }}

    union

    select user_handle from {{ ref('stg_user_assessment_scores') }}

),

listed_users as (

    select
        user_handle,
        'users' as listed_in
    from {{ ref('users') }}

    union all

    select
        user_handle,
        'user_clusters' as listed_in
    from {{ ref('user_clusters') }}

    union all

    select
        user_handle,
        'user_map' as listed_in
    from {{ ref('user_map') }}

)

select
    named_users.user_handle as named_user,
    listed_users.user_handle as listed_user,
    count(distinct listed_users.listed_in) as tables
from named_users
full outer join listed_users on named_users.user_handle = listed_users.user_handle
group by named_users.user_handle, listed_users.user_handle
having count(distinct listed_users.listed_in) != 3 or named_users.user_handle is null
