-- The version, settings and tools of this build.
-- Grain: a single row.

{%- set settings = {
    'handle_type': var('handle_type'),
    'score_band_edges': var('score_band_edges'),
    'tag_symbols': var('tag_symbols'),
    'encoding': var('encoding'),
    'missing_values': var('missing_values'),
    'date_forms': var('date_forms'),
    'tag_separators': var('tag_separators'),
} -%}
{%- for name in number_vars() -%}
{%- do settings.update({name: var(name)}) -%}
{%- endfor %}

with

frozen_statistics as (

    select * from {{ ref('int_frozen_statistics') }}

),

handle_types as (

    select * from {{ ref('stg_handle_types') }}

),

usual_view_time as (

    select * from {{ ref('int_usual_view_time') }}

)

select
    '{{ build_version() }}' as version,
    cast('{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp) as started_at,
    frozen_statistics.computed_at as statistics_computed_at,
    usual_view_time.usual_view_seconds,
    usual_view_time.view_time_agreement,
    '{{ dbt_version }}' as dbt_version,
    version() as engine_version,
    handle_types.user_handle_type as handle_type,
    handle_types.author_handle_type,
    {{ text_literal(tojson(settings, sort_keys=true)) }} as settings_json
from frozen_statistics
cross join handle_types
cross join usual_view_time
