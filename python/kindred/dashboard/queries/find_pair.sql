-- Everything that two users have in common: each matching feature with its exact part of their similarity, the product
-- of the two weights. The contributions sum to the similarity.
-- One row per matching feature, the largest contribution first.
-- contribution: The part of the similarity that comes from the feature.
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
