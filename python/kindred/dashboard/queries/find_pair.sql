-- All that two users have in common: every matching feature and its exact part in their similarity, the product of the
-- two users' weights. The contributions sum to the similarity.
-- One row per matching feature, largest first.
-- contribution: The feature's part in the similarity.
select
    facets.facet,
    one.feature,
    one.weight * another.weight as contribution
from user_features as one
inner join user_features as another
    on
        another.user_handle = $other_handle
        and one.matching_feature_id = another.feature_id
inner join facets on one.facet = facets.facet
where one.user_handle = $user_handle
order by contribution desc, facets.facet_number asc, one.feature asc
