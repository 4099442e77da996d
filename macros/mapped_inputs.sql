{# The inputs that the var inputs maps to relations, which are read in place of files. #}

{# Whether an input is mapped to a relation, or to none. #}
{% macro is_mapped(name) %}
  {{ return(var('inputs') is mapping and name in var('inputs')) }}
{% endmacro %}

{# The raw table of an input: the seed of its name, or the model that reads the relation. #}
{% macro raw_input(name) %}
  {{ return(ref('mapped_' ~ name if is_mapped(name) else name)) }}
{% endmacro %}

{# The input's name; of one that is mapped, with the relation as the var inputs names it. #}
{% macro input_label(name) %}
  {%- if not execute or not is_mapped(name) -%}
    {{ return(name) }}
  {%- endif -%}
  {{ return(name ~ ' (' ~ mapped_name(var('inputs')[name]) ~ ')') }}
{% endmacro %}

{# The relation that an input is mapped to, in the words of the var inputs: lms.views. #}
{% macro mapped_name(mapped) %}
  {%- if mapped == 'none' -%}
    {{ return(mapped) }}
  {%- endif -%}
  {%- set named = mapped.get('relation') or mapped.get('model') or mapped.get('source') -%}
  {{ return(named if named is string else named | join('.')) }}
{% endmacro %}


{#
  The rows of the relation that an input is mapped to, with our names: every declared column as text, as a file's, a
  number of the row, which is no line and may be another in the next build, and a read_error, as a file's.
#}
{% macro mapped_input(name) %}
  {%- if not is_mapped(name) -%}
    {{ return('') }}  {# dbt renders disabled models too #}
  {%- endif -%}
  {%- set problems = mapping_problems() -%}
  {%- if problems -%}
    {{ stop(problems | join('\n')) }}
  {%- endif -%}
  {%- set mapped = var('inputs')[name] -%}
  {#- A ref or source of the var makes dbt build what it names first. Two arguments: a model of ours may have its name. -#}
  {%- if mapped == 'none' or mapped.relation -%}
    {%- set built = none -%}
  {%- elif mapped.source -%}
    {%- set built = source(*mapped.source) -%}
  {%- elif mapped.model is string -%}
    {%- set built = ref(project_name, mapped.model) -%}
  {%- else -%}
    {%- set built = ref(*mapped.model) -%}
  {%- endif -%}
  {%- if execute -%}
    {%- set declared = model.columns.keys() | reject('in', ['line_number', 'read_error']) | list -%}
    {%- if mapped == 'none' -%}
      select
        {%- for column in declared %}
          cast(null as varchar) as {{ column }},
        {%- endfor %}
          cast(null as bigint) as line_number,
          cast(null as varchar) as read_error
      where false
    {%- else -%}
      {%- set found = mapped_columns(name, mapped, built, declared) -%}
      select
        {%- for column in declared %}
          {{ as_text(adapter.quote(found.columns[column]), found.types[found.columns[column]]) }} as {{ column }},
        {%- endfor %}
          row_number() over () as line_number,
          {{ text_error(found.columns.values(), found.types) }} as read_error
      from {{ built or found.relation }}
      {%- if flags.EMPTY %}
      where false
      {%- endif %}
    {%- endif -%}
  {%- endif -%}
{% endmacro %}


{# Set rows of a mapped input aside as those of a file; the hook after its table. #}
{% macro set_mapped_rows_aside() -%}
  {{ set_rows_aside(this, model.columns.keys() | reject('in', ['line_number', 'read_error']) | list) }}
{%- endmacro %}


{#
  The relation of a mapped input, the name of its column for each declared one, and the types of its columns by name.
  Stops if the relation or a column is missing.
#}
{% macro mapped_columns(name, mapped, built, declared) %}
  {%- set theirs = {} -%}
  {%- for column in declared -%}
    {%- do theirs.update({column: (mapped.get('columns') or {}).get(column, column)}) -%}
  {%- endfor -%}
  {%- set label = mapped_name(mapped) -%}
  {%- if built and built.is_cte -%}
    {{ stop("The var inputs maps " ~ name ~ " to " ~ label ~ ", which is ephemeral: make it a table or a view.") }}
  {%- endif -%}
  {%- if built and built.external -%}
    {%- set rows = run_query("select column_name, column_type from (describe select * from " ~ built.render() ~ ")").rows -%}
    {%- set relation = built.render() -%}
  {%- else -%}
    {%- set parts = [built.database, built.schema, built.identifier] if built else name_parts(mapped.relation) -%}
    {%- set rows = run_query(columns_of_relation(parts)).rows -%}
    {%- set relations = rows | map(attribute='relation') | unique | list -%}
    {%- if relations | length > 1 -%}
      {{ stop("The var inputs maps " ~ name ~ " to " ~ label ~ ", but that is " ~ relations | join(' and ')
        ~ ": name one with its database and schema.") }}
    {%- endif -%}
    {%- set relation = relations | first -%}
  {%- endif -%}
  {%- if not rows -%}
    {{ stop("There is no relation " ~ label ~ ", to which the var inputs maps " ~ name ~ " with the columns "
      ~ theirs.values() | join(', ') ~ ": make it before the build, or correct its name in inputs." ~ name ~ ".") }}
  {%- endif -%}
  {%- set present, types = {}, {} -%}
  {%- for row in rows -%}
    {%- do present.update({row[0] | lower: row[0]}) -%}
    {%- do types.update({row[0]: row[1]}) -%}
  {%- endfor -%}
  {%- set columns, missing = {}, [] -%}
  {%- for ours, theirs_name in theirs.items() -%}
    {%- if theirs_name | lower in present -%}
      {%- do columns.update({ours: present[theirs_name | lower]}) -%}
    {%- else -%}
      {%- do missing.append(theirs_name ~ (' (our ' ~ ours ~ ')' if theirs_name != ours else '')) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if missing -%}
    {{ stop("Column " ~ missing | join(' and column ') ~ " is missing from " ~ label ~ ", to which the var inputs maps "
      ~ name ~ ": it has " ~ present.values() | join(', ') ~ "; name the right ones in inputs." ~ name
      ~ ".columns, as our name: their name.") }}
  {%- endif -%}
  {{ return({'relation': relation, 'columns': columns, 'types': types}) }}
{% endmacro %}


{# The parts of a relation's name, which dots separate but in double quotes. #}
{% macro name_parts(relation) %}
  {%- set parts = [] -%}
  {%- for quoted, plain in modules.re.findall('"((?:[^"]|"")+)"|([^."]+)', relation) -%}
    {%- do parts.append(quoted.replace('""', '"') or plain) -%}
  {%- endfor -%}
  {{ return(parts) }}
{% endmacro %}


{#
  What is wrong with the var inputs, as sentences. Which columns an input has is known only when dbt runs.
#}
{% macro mapping_problems() %}
  {%- set inputs = var('inputs') or {} -%}
  {%- set problems = [] -%}
  {%- if inputs is not mapping -%}
    {{ return(["The var inputs is " ~ inputs
      ~ ", but it must map inputs to relations such as {user_interests: {relation: lms.follows}}."]) }}
  {%- endif -%}
  {%- for name, mapped in inputs.items() -%}
    {%- set kinds = ['relation', 'model', 'source'] | select('in', mapped) | list if mapped is mapping else [] -%}
    {%- set named = mapped[kinds[0]] if kinds else none -%}
    {%- set renamed = mapped.get('columns') or {} if mapped is mapping else {} -%}
    {%- set is_pair = named is sequence and named is not string and named | length == 2
      and named | select('string') | list | length == 2 -%}
    {%- set is_name = named is string and name_parts(named) | length in [1, 2, 3] -%}
    {%- if name not in input_names() -%}
      {%- do problems.append("The var inputs names the input " ~ name ~ ", but the inputs are "
        ~ input_names() | join(', ') ~ ".") -%}
    {%- elif mapped != 'none' and (kinds | length != 1 or mapped.keys() | reject('in', kinds + ['columns']) | list
      or not {'relation': is_name, 'model': is_name or is_pair, 'source': is_pair}[kinds[0]]) -%}
      {%- do problems.append("The var inputs maps " ~ name ~ " to " ~ (mapped if mapped is not none else 'nothing')
        ~ ", but it must be none, {relation: schema.table}, "
        ~ "{model: name} or {source: [name, table]}, and columns if names differ.") -%}
    {%- elif renamed is not mapping or renamed.values() | reject('string') | list -%}
      {%- do problems.append("The var inputs gives " ~ name ~ " the columns " ~ renamed
        ~ ", but they must be as our name: their name.") -%}
    {%- elif execute -%}
      {%- set ours = graph.nodes['model.kindred.mapped_' ~ name].columns.keys() | reject('in', ['line_number', 'read_error']) | list -%}
      {%- for column in renamed if column not in ours -%}
        {%- do problems.append("The var inputs names the column " ~ column ~ " of " ~ name ~ ", but its columns are "
          ~ ours | join(', ') ~ ".") -%}
      {%- endfor -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(problems) }}
{% endmacro %}
