-- If a feature matches another, the other matches it, and both have the same name. Otherwise the similarity of two
-- users would depend on the direction. Every feature has one match.

with

user_features as (

    select * from {{ ref('user_features') }}

),

features as (

    select
        feature_id,
        min(matching_feature_id) as matching_feature_id,
        max(matching_feature_id) as last_matching_feature_id,
        any_value(feature) as feature
    from user_features
    group by feature_id

)

select
    features.feature_id,
    features.feature,
    matching.feature_id as matching_feature_id,
    matching.feature as matching_feature
from features
left join features as matching on features.matching_feature_id = matching.feature_id
where
    features.matching_feature_id != features.last_matching_feature_id
    or matching.matching_feature_id != features.feature_id
    or matching.feature != features.feature
