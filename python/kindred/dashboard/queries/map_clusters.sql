-- The position of each cluster on the map, and the span of nine tenths of its members.
-- One row per cluster.
-- short_label: The first two tags of the label, or the whole label where it has fewer.
-- x: The median position of its members on the first axis.
-- y: The median position of its members on the second axis.
-- x_span: The distance on the first axis between the 5th and the 95th percentile of its members.
-- y_span: The distance on the second axis between the 5th and the 95th percentile of its members.
select
    user_map.cluster_id,
    any_value(clusters.label) as label,
    any_value(
        case
            when starts_with(clusters.label, array_to_string(clusters.top_tags[:2], ', '))
                then array_to_string(clusters.top_tags[:2], ', ')
            else clusters.label
        end
    ) as short_label,
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
