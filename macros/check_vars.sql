{# The vars that are numbers, each with its minimum and maximum. If the minimum is a whole number, so must the var be. #}
{% macro number_vars() %}
  {{ return({
    'min_view_seconds': [0.0, none], 'max_view_seconds': [0.0, none], 'top_k': [1, none], 'hub_correction': [0.0, 1],
    'similarity_threads': [1, none],
    'view_time_max_medians': [0.001, none], 'glance_weight': [0.001, 1], 'score_band_weight': [0.0, none], 'bundle_min_jaccard': [0.0, 1], 'bundle_sample_users': [1, none],
    'tag_link_min_score': [0.5, 1], 'tag_link_sample_users': [1, none],
    'cluster_neighbours': [1, none], 'cluster_min_samples': [1, none], 'cluster_max_share': [0.001, 1],
    'cluster_voters': [1, none], 'relation_max_courses': [1, none], 'relation_ridge': [0.001, none],
    'next_max_courses': [1, none], 'quality_splits': [0, none], 'quality_seed': [0, none],
    'quality_max_users': [1, none], 'freeze_statistics_days': [0.0, none], 'duckdb_memory_gb': [0.1, none]
  }) }}
{% endmacro %}

{#
  Stop a run before it starts if a var has an unknown name or a value that makes no sense, and name all that do. dbt
  itself accepts any name, so a typing error would build with the old setting.
#}
{% macro check_vars() %}
  {%- set numbers = number_vars() -%}
  {%- set names = numbers.keys() | list + [
    'date_forms', 'encoding', 'evidence_from', 'evidence_to', 'facets', 'facet_overrides', 'handle_type', 'inputs', 'missing_values',
    'score_band_edges', 'tag_separators', 'tag_symbols'
  ] -%}
  {%- set problems = mapping_problems() + package_problems() -%}
  {#- A project that has Kindred as a package has vars of its own. -#}
  {%- for name in invocation_args_dict.get('vars') or {} if name not in names and not is_package() -%}
    {%- do problems.append("There is no var " ~ name ~ ": the vars are " ~ names | sort | join(', ') ~ ".") -%}
  {%- endfor -%}
  {%- for name, limits in numbers.items() -%}
    {%- set is_whole = limits[0] is integer -%}
    {%- if var(name) is not number or (is_whole and var(name) is not integer) or var(name) < limits[0]
      or (limits[1] is not none and var(name) > limits[1]) -%}
      {%- do problems.append("The var " ~ name ~ " is " ~ var(name) ~ ", but it must be a "
        ~ ("whole " if is_whole else "") ~ "number of " ~ '%g' | format(limits[0])
        ~ (" to " ~ limits[1] if limits[1] is not none else " or more") ~ ".") -%}
    {%- endif -%}
  {%- endfor -%}
  {%- for name in ['evidence_from', 'evidence_to'] if var(name) and not modules.re.fullmatch('\d{4}-\d\d-\d\d', var(name) | string) -%}
    {%- do problems.append("The var " ~ name ~ " is " ~ var(name) ~ ", but it must be a day such as 2017-05-01.") -%}
  {%- endfor -%}
  {%- if var('handle_type') not in ['auto', 'text'] -%}
    {%- do problems.append("The var handle_type is " ~ var('handle_type') ~ ", but it must be auto or text.") -%}
  {%- endif -%}
  {%- set edges = var('score_band_edges') -%}
  {%- if edges is not none and (edges is not sequence or edges is string or edges is mapping
    or edges | reject('number') | list or edges | sort | unique | list != edges | list or not edges) -%}
    {%- do problems.append("The var score_band_edges is " ~ edges
      ~ ", but it must be a list of rising scores such as [100, 200].") -%}
  {%- endif -%}
  {%- set possible_symbols = '#+&@!%$*=~?' -%}
  {%- if var('tag_symbols') is not string or not modules.re.fullmatch('[' ~ possible_symbols ~ ']*', var('tag_symbols')) -%}
    {%- do problems.append("The var tag_symbols is " ~ var('tag_symbols') ~ ", but it must be a text of some of the symbols "
      ~ possible_symbols ~ " such as #+.") -%}
  {%- endif -%}
  {%- if var('encoding') not in ['utf-8', 'latin-1', 'utf-16'] -%}
    {%- do problems.append("The var encoding is " ~ var('encoding') ~ ", but it must be utf-8, latin-1 or utf-16.") -%}
  {%- endif -%}
  {%- for name in ['missing_values', 'tag_separators'] if var(name) is string or var(name) is not sequence
    or var(name) | reject('string') | list or '' in var(name) -%}
    {%- do problems.append("The var " ~ name ~ " is " ~ var(name) ~ ", but it must be a list of texts in quotes, or [] for none.") -%}
  {%- endfor -%}
  {%- set date_columns = date_columns().values() | list -%}
  {%- if var('date_forms') is not mapping or var('date_forms').keys() | reject('in', date_columns) | list
    or var('date_forms').values() | reject('in', date_forms()) | list -%}
    {%- do problems.append("The var date_forms is " ~ var('date_forms') ~ ", but it must name columns (" ~ date_columns | join(', ')
      ~ ") and their forms (" ~ date_forms() | join(', ') ~ ") such as {view_date: DD/MM/YYYY}.") -%}
  {%- endif -%}
  {%- if problems -%}
    {{ stop(problems | join('\n')) }}
  {%- endif -%}
  {%- do facets() -%}
{% endmacro %}

{#
  What is wrong in a project that has Kindred as a package, as sentences: an input without data, since the sample is not
  the project's, and a model of theirs that dbt would take for one of ours.
#}
{% macro package_problems() %}
  {%- set problems = [] -%}
  {%- if is_package() and execute -%}
    {%- for name in input_names() if not is_mapped(name) and not env_var('KINDRED_DATA_DIR', '') -%}
      {%- do problems.append("The input " ~ name ~ " has no data in the project " ~ project_name
        ~ ": map it to a table in the var inputs, map it to none if there is none, or name a folder in KINDRED_DATA_DIR.") -%}
    {%- endfor -%}
    {%- set taken = {} -%}
    {%- for node in graph.nodes.values() if node.package_name == 'kindred' and not node.name.startswith('mapped_') -%}
      {%- for id in node.depends_on.nodes if id.split('.')[1] == project_name -%}
        {%- do taken.update({id: id.split('.')}) -%}
      {%- endfor -%}
    {%- endfor -%}
    {%- for kind, project, model in taken.values() -%}
      {%- do problems.append("The project " ~ project ~ " has a " ~ kind ~ " " ~ model ~ ", as Kindred has, and Kindred would "
        ~ "read theirs: set the flag require_ref_searches_node_package_before_root to true in dbt_project.yml, or rename it.") -%}
    {%- endfor -%}
  {%- endif -%}
  {{ return(problems) }}
{% endmacro %}
