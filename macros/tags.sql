{#
  The key under which two spellings of a tag are the same, in four levels, each on top of the one before:
    1 spelling  case and punctuation: 'd3-js' and 'd3.js'
    2 symbol    spelled-out symbols: 'c-sharp' and 'c#', 'googleplus' and 'google+', 'dotnet' and '.net'
    3 wrapper   words around the subject: an 'and' between two, and on assessments '-core-skills', 'using-', a year
    4 alias     the abbreviations and former names in seeds/tag_aliases.csv (joined in the model, not here)
  A symbol that makes another subject ('c', 'c#', 'c++') is a letter at every level, never punctuation.
#}
{% macro tag_key(tag, vocabulary, level) -%}
  {%- if level == 1 -%}
    regexp_replace(lower({{ tag }}), '[^a-z0-9#+]+', '', 'g')
  {%- elif level == 2 -%}
    regexp_replace(
      replace(replace(
        regexp_replace(lower({{ tag }}), '(dot|[.])(net|js)', '\2', 'g'),
      '#', 'sharp'), '+', 'plus'),
      '[^a-z0-9]+', '', 'g'
    )
  {%- elif level == 3 -%}
    {%- set bare = "regexp_replace(" ~ tag ~ ", '([a-z])[-_ ]+(and|&)[-_ ]+([a-z])', '\\1-\\3', 'gi')" -%}
    {%- set unwrapped = "regexp_replace(regexp_replace(" ~ tag ~ ", '[-_ ](core-skills|(19|20)[0-9]{2})$', '', 'i'), '^using[-_ ]', '', 'i')" -%}
    case
      when {{ vocabulary }} = 'assessment' then {{ tag_key(unwrapped, vocabulary, 2) }}
      else {{ tag_key(bare, vocabulary, 2) }}
    end
  {%- endif -%}
{%- endmacro %}
