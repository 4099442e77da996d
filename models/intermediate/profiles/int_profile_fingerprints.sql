-- A number for every user's profile that is another one when the profile is: int_candidates compares only those
-- again who have another one than in the build before.
-- Grain: one row per user.

with

users as (

    select * from {{ ref('int_users') }}

),

profiles as (

    select * from {{ ref('int_profiles') }}

)

-- Feature ids are counted anew in every build, but names last. What a feature meets is the same for all of its facet.
select
    users.user_handle,
    {{ fingerprint_of_rows([
        'profiles.facet', 'profiles.feature', 'profiles.weight', 'profiles.matching_feature_id - profiles.feature_id'
    ]) }} as profile_fingerprint
from users
left join profiles on users.user_handle = profiles.user_handle
group by users.user_handle
order by users.user_handle
