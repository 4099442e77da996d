-- The main level of the members of a cluster and of all users: the level of most courses that a user viewed.
-- One row per level.
-- level: The level; "none" stands for users who viewed no course with a level.
-- members: The number of members with this main level.
-- member_share: The share of members with this main level.
-- user_share: The share of all users with this main level.
select
    coalesce(main_level, 'none') as level,
    count(*) filter (where cluster_id = $cluster_id) as members,
    members / nullif(sum(members) over (), 0) as member_share,
    count(*) / sum(count(*)) over () as user_share
from users
group by main_level
order by user_share desc, level asc
