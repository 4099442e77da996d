{# What later builds keep of what is learnt from all users, see the model int_learning. #}

{# Whether this build keeps what the model it is asked for learnt in an earlier one, and holds in its table still. #}
{% macro keeps_learnt() %}
  {%- set learning = ref('int_learning') -%}
  {%- if not execute or not is_incremental() -%}
    {{ return(false) }}
  {%- endif -%}
  {{ return(run_query('select is_kept from ' ~ learning).columns[0].values() | list == [true]) }}
{% endmacro %}

{#
  A text that is another one when a var or the folder of the inputs is: what was learnt with others is not kept. Left out
  is what changes no figure.
#}
{% macro learnt_settings_fingerprint() %}
  {%- set settings = {'facets': facets(), 'folder': env_var('KINDRED_DATA_DIR', '')} -%}
  {%- set names = number_vars().keys() | list + ['evidence_from', 'evidence_to', 'score_band_edges'] -%}
  {%- for name in names if name not in ['keep_learnt_days', 'duckdb_memory_gb', 'similarity_threads'] -%}
    {%- do settings.update({name: var(name) | string}) -%}
  {%- endfor -%}
  {{ return(local_md5(tojson(settings, sort_keys=true))) }}
{% endmacro %}

{# The version of the data that this build makes. #}
{% macro build_version() -%}
  {{ run_started_at.strftime("%Y%m%dT%H%M%SZ") }}-{{ invocation_id[:8] }}
{%- endmacro %}

{# The version that the last whole build published, '' if there is none. #}
{% macro last_published_version() %}
  {%- set publication = adapter.get_relation(this.database, this.schema, 'publication') if execute -%}
  {%- if not publication -%}
    {{ return('') }}
  {%- endif -%}
  {{ return(run_query('select version from ' ~ publication).columns[0].values() | first | default('', true)) }}
{% endmacro %}
