-- Who is closest to a user, and why? The user's list, closest first, with the group of each user and the three reasons
-- that contribute most to the similarity; main_reasons_share is their share of it. Grain: one row per user in the list.
-- depends_on: {{ ref('users') }}, {{ ref('similar_users') }}, {{ ref('clusters') }}

with

asked as (
    select user_handle
    from users
    where user_handle = '42'
),

listed as (
    select
        similar_users.rank,
        similar_users.similar_user_handle,
        similar_users.similarity,
        similar_users.similar_cluster_id,
        unnest(similar_users.top_reasons) as reason
    from similar_users
    inner join asked on similar_users.user_handle = asked.user_handle
),

explained as (
    select
        rank,
        similar_user_handle,
        similarity,
        similar_cluster_id,
        list(reason['facet'] || ': ' || reason['feature'] order by reason['contribution'] desc) as main_reasons,
        sum(reason['contribution']) as main_contributions
    from listed
    group by rank, similar_user_handle, similarity, similar_cluster_id
)

select
    explained.rank,
    explained.similar_user_handle,
    round(explained.similarity, 3) as similarity,
    explained.main_reasons,
    round(explained.main_contributions / explained.similarity, 2) as main_reasons_share,
    clusters.label as cluster_label
from explained
left join clusters on explained.similar_cluster_id = clusters.cluster_id
order by explained.rank
