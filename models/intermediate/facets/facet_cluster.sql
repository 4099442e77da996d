-- Facet: the cluster that a user is in. It is known only after clustering, which uses the other facets.
-- Grain: one row per user in a cluster.

with

user_clusters as (

    select * from {{ ref('int_user_clusters') }}

)

select
    user_number,
    'cluster ' || cluster_id as feature,
    cast(1 as double) as occurrences
from user_clusters
where cluster_id >= 0
