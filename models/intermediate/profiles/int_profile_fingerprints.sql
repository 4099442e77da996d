-- A number for every user's profile that changes when the profile changes: int_candidates compares only users whose
-- number differs from the build before.
-- Grain: one row per user.

with

users as (

    select * from {{ ref('int_users') }}

),

profiles as (

    select * from {{ ref('int_profiles') }}

)

-- Feature ids are new in every build, so names are compared. The distance to the matching id is the same within a
-- facet.
select
    users.user_number,
    {{ fingerprint_of_rows([
        'profiles.facet', 'profiles.feature', 'profiles.weight', 'profiles.matching_feature_id - profiles.feature_id'
    ]) }} as profile_fingerprint
from users
left join profiles on users.user_number = profiles.user_number
group by users.user_number
order by users.user_number
