{# Statistics over all users that later builds may keep as they are: see the model int_frozen_statistics. #}

{# Whether this build keeps the statistics that the current model holds from an earlier build. #}
{% macro statistics_are_frozen() %}
  {%- set frozen_statistics = ref('int_frozen_statistics') -%}
  {%- if not execute or not is_incremental() -%}
    {{ return(false) }}
  {%- endif -%}
  {{ return(run_query('select is_frozen from ' ~ frozen_statistics).columns[0].values() | list == [true]) }}
{% endmacro %}

{#
  A text that changes when a var or the folder of the inputs changes: statistics are kept only for the same settings. It
  leaves out the vars that change no figure.
#}
{% macro settings_fingerprint() %}
  {%- set settings = {'facets': facets(), 'folder': env_var('KINDRED_DATA_DIR', ''), 'inputs': var('inputs')} -%}
  {%- set names = number_vars().keys() | list + [
    'date_forms', 'encoding', 'evidence_from', 'evidence_to', 'missing_values', 'score_band_edges', 'tag_separators', 'tag_symbols'
  ] -%}
  {%- for name in names if name not in ['freeze_statistics_days', 'duckdb_memory_gb', 'similarity_threads'] -%}
    {%- do settings.update({name: var(name) | string}) -%}
  {%- endfor -%}
  {{ return(local_md5(tojson(settings, sort_keys=true))) }}
{% endmacro %}

{# The version of the data that this build makes. #}
{% macro build_version() -%}
  {{ run_started_at.strftime("%Y%m%dT%H%M%SZ") }}-{{ invocation_id[:8] }}
{%- endmacro %}

{# The version that the last complete build published; '' if there is none. #}
{% macro last_published_version() %}
  {%- set publication = adapter.get_relation(this.database, this.schema, 'publication') if execute -%}
  {%- if not publication -%}
    {{ return('') }}
  {%- endif -%}
  {{ return(run_query('select version from ' ~ publication).columns[0].values() | first | default('', true)) }}
{% endmacro %}
