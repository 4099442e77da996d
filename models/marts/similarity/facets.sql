-- The kinds of evidence that profiles are made of, as the vars declare them.
-- Grain: one row per facet.

{% for facet in facets() -%}
select
    {{ facet.facet_number }} as facet_number,
    '{{ facet.facet }}' as facet,
    '{{ facet.description | replace("'", "''") }}' as description,
    cast({{ facet.weight }} as double) as weight,
    cast({{ facet.weight_share }} as double) as weight_share,
    '{{ facet.count_transform }}' as count_transform,
    cast({{ facet.idf_power }} as double) as idf_power,
    cast({{ facet.confidence_prior }} as double) as confidence_prior
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
