-- The whole profile of one user: everything that counts for similarity, the heaviest first within each facet.
-- One row per feature.
-- total_users: The number of users who have the feature.
select
    user_features.facet,
    user_features.feature,
    user_features.occurrences,
    user_features.weight,
    features.users as total_users
from user_features
inner join facets on user_features.facet = facets.facet
inner join features on user_features.feature_id = features.feature_id
where user_features.user_handle = $user_handle
order by facets.facet_number asc, user_features.weight desc, user_features.feature asc
