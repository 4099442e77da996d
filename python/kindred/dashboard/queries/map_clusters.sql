-- Where each cluster lies on the map: the middle of its members, and the span of nine tenths of them.
-- One row per cluster.
-- x: The median of its members on the first axis.
-- y: The median of its members on the second axis.
-- x_span: From the twentieth part of its members to the last but one on the first axis.
-- y_span: The same on the second axis.
select
    user_map.cluster_id,
    any_value(clusters.label) as label,
    any_value(clusters.users) as users,
    any_value(clusters.top_tags) as top_tags,
    median(user_map.x) as x,
    median(user_map.y) as y,
    quantile_cont(user_map.x, 0.95) - quantile_cont(user_map.x, 0.05) as x_span,
    quantile_cont(user_map.y, 0.95) - quantile_cont(user_map.y, 0.05) as y_span
from user_map
inner join clusters on user_map.cluster_id = clusters.cluster_id
group by user_map.cluster_id
order by user_map.cluster_id
