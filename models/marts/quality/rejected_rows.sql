-- The rows of all input files that staging could not use, with the reason, so that nothing is lost silently.
-- Grain: one row per file and rejected line.

{% for file in input_names() -%}
select
    {{ text_literal(input_label(file)) }} as file,
    line_number,
    reject_reason as reason,
    delivered_user_handle as user_handle,
    delivered_row
from {{ ref('base_' ~ file) }}
where reject_reason is not null
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
order by file, line_number
