-- The kinds of evidence that profiles are made of, as the vars declare them.
-- Grain: one row per facet.

{% for facet in facets() -%}
select
    {{ facet.facet_number }} as facet_number,
    '{{ facet.facet }}' as facet,
    '{{ facet.description | replace("'", "''") }}' as description,
    cast({{ facet.weight }} as double) as weight,
    cast({{ facet.weight_share }} as double) as weight_share,
    cast({{ facet.count_power }} as double) as count_power,
    cast({{ facet.idf_power }} as double) as idf_power,
    cast({{ facet.confidence_prior }} as double) as confidence_prior,
    {{ facet.matching_facet_number }} as matching_facet_number
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
