-- The main level of users, that of most courses viewed: of the members of a cluster beside all users.
-- One row per level.
-- level: The level; none for users who viewed no course with a level.
-- members: The members whose main level it is.
-- member_share: The same as a share of the members.
-- user_share: The users whose main level it is, as a share of all.
select
    coalesce(main_level, 'none') as level,
    count(*) filter (where cluster_id = $cluster_id) as members,
    members / nullif(sum(members) over (), 0) as member_share,
    count(*) / sum(count(*)) over () as user_share
from users
group by main_level
order by user_share desc, level asc
