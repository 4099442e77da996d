-- The number of users, courses and clusters in the warehouse.
-- A single row.
-- users: The number of users who appear in any input file with a usable row.
-- courses: The number of courses that have tags or were viewed.
-- clusters: The number of groups of users that the clustering found.
-- clustered_share: The share of all users who are in a cluster.
select
    count(*) as users,
    (select count(*) from courses) as courses,
    (select count(*) from clusters) as clusters,
    avg(case when cluster_id >= 0 then 1.0 else 0.0 end) as clustered_share
from users
