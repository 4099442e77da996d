-- Bundles of interests that the same users follow, as when a group is followed with one click. A bundle counts as one
-- agreement, not as many. It is named after its most followed tag.
-- The cost is bounded: users who follow more tags than anybody chooses are left out, and tags with exactly the same
-- followers are compared as one.
-- Grain: one row per canonical interest tag.

{%- set max_interests = 1000 %} {#- tags that a user follows at most to say which go together #}

{% if statistics_are_frozen() -%}
with

user_interests as (

    select * from {{ ref('int_user_interests') }}

),

followed as (

    select distinct interest_tag from user_interests

),

frozen as (

    select * from {{ this }}

)

select
    followed.interest_tag,
    coalesce(frozen.bundle, followed.interest_tag) as bundle,
    coalesce(frozen.bundle_tags, 1) as bundle_tags
from followed
left join frozen on followed.interest_tag = frozen.interest_tag
{%- else -%}
with recursive

user_interests as (

    select * from {{ ref('int_user_interests') }}

),

users as (

    select * from {{ ref('int_users') }}

),

-- The overlap of followers is a share, which a sample of users estimates at a bounded cost.
sampled_users as (

    select users.user_number
    from users
    inner join user_interests on users.user_number = user_interests.user_number
    group by users.user_number, users.user_handle
    having count(*) <= {{ max_interests }}
    order by md5(cast(users.user_handle as varchar)), users.user_number
    limit {{ var('bundle_sample_users') }}

),

sampled as (

    select
        user_interests.user_number,
        user_interests.interest_tag
    from user_interests
    inner join sampled_users on user_interests.user_number = sampled_users.user_number

),

followers as (

    select
        interest_tag,
        count(*) as users,
        {{ fingerprint_of_rows(['user_number']) }} as fingerprint
    from sampled
    group by interest_tag

),

-- The first of the tags with the same followers stands for them.
alike as (

    select
        interest_tag,
        users,
        min(interest_tag) over (partition by users, fingerprint) as first_tag
    from followers

),

counted as (

    select
        sampled.user_number,
        sampled.interest_tag,
        alike.users
    from sampled
    inner join alike on sampled.interest_tag = alike.first_tag
    where alike.interest_tag = alike.first_tag

),

-- Two tags can overlap that much only if their numbers of followers are close: this rules out most pairs.
together as (

    select
        one.interest_tag,
        other.interest_tag as other_tag,
        count(*) as users_of_both,
        any_value(one.users + other.users) as users_summed
    from counted as one
    inner join counted as other
        on
            one.user_number = other.user_number
            and one.interest_tag < other.interest_tag
            and one.users >= {{ var('bundle_min_jaccard') }} * other.users
            and other.users >= {{ var('bundle_min_jaccard') }} * one.users
    group by one.interest_tag, other.interest_tag

),

overlapping as (

    select
        interest_tag,
        other_tag
    from together
    where users_of_both >= {{ var('bundle_min_jaccard') }} * (users_summed - users_of_both)

),

links as (

    select
        interest_tag,
        other_tag
    from overlapping

    union all

    select
        other_tag as interest_tag,
        interest_tag as other_tag
    from overlapping

),

reachable as (

    select
        interest_tag,
        interest_tag as member_tag
    from alike
    where interest_tag = first_tag

    union

    select
        reachable.interest_tag,
        links.other_tag as member_tag
    from reachable
    inner join links on reachable.member_tag = links.interest_tag

),

bundles as (

    select
        interest_tag as first_tag,
        min(member_tag) as bundle_key
    from reachable
    group by interest_tag

),

all_tags as (

    select distinct interest_tag from user_interests

),

-- A tag that no sampled user follows is a bundle of its own.
keyed as (

    select
        all_tags.interest_tag,
        coalesce(alike.users, 0) as users,
        coalesce(bundles.bundle_key, all_tags.interest_tag) as bundle_key
    from all_tags
    left join alike on all_tags.interest_tag = alike.interest_tag
    left join bundles on alike.first_tag = bundles.first_tag

)

select
    interest_tag,
    first_value(interest_tag) over (
        partition by bundle_key
        order by users desc, interest_tag asc
    ) as bundle,
    count(*) over (partition by bundle_key) as bundle_tags
from keyed
{%- endif %}
