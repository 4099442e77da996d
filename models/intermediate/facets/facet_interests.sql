-- Facet: the interests that users follow. Tags that the same users follow count as one (int_interest_bundles).
-- Grain: one row per user and bundle of interests.

with

user_interests as (

    select * from {{ ref('int_user_interests') }}

),

interest_bundles as (

    select * from {{ ref('int_interest_bundles') }}

)

select
    user_interests.user_number,
    cast(null as varchar) as course_id,
    interest_bundles.bundle as feature,
    cast(count(*) as double) as occurrences
from user_interests
inner join interest_bundles on user_interests.interest_tag = interest_bundles.interest_tag
group by user_interests.user_number, interest_bundles.bundle
