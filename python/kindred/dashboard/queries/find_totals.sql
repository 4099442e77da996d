-- How many users, courses and clusters the warehouse has.
-- A single row.
-- users: Everyone who appears in any input file with a usable row.
-- courses: Courses that have tags or were viewed.
-- clusters: Groups of users that the clustering found.
-- clustered_share: The users who are in one of them, as a share of all.
select
    count(*) as users,
    (select count(*) from courses) as courses,
    (select count(*) from clusters) as clusters,
    avg(case when cluster_id >= 0 then 1.0 else 0.0 end) as clustered_share
from users
