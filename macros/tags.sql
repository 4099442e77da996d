{#
  The key of a tag: two tags with the same key are spellings of one subject. There are three levels, each of which ignores
  more than the one before:
    1 spelling  case and punctuation: 'd3-js' and 'd3.js'
    2 symbol    spelled-out symbols: 'c-sharp' and 'c#', 'googleplus' and 'google+', 'dotnet' and '.net'
    3 wording   what adds nothing: a plural, the words and, of and the, the -js of a framework that means nothing else
  The later levels depend on other tags too and are in int_tag_keys: words around an assessment's subject, aliases,
  versions, misspellings.
  A symbol that makes another subject ('c', 'c#', 'c++') is never punctuation: see the var tag_symbols.
#}
{% macro tag_key(tag, level) -%}
  {%- if level == 1 -%}
    coalesce(nullif(regexp_replace(lower({{ tag }}), '[^\p{L}\p{N}{{ var("tag_symbols") }}]+', '', 'g'), ''), lower({{ tag }}))
  {%- elif level == 2 -%}
    coalesce(nullif(regexp_replace({{ spell_out_symbols(tag) }}, '[^\p{L}\p{N}]+', '', 'g'), ''), lower({{ tag }}))
  {%- elif level == 3 -%}
    regexp_replace(
      {{ singular(
        "coalesce(nullif(regexp_replace(" ~ spell_out_symbols(tag)
        ~ ", '\\b(and|of|the)\\b|[^\\p{L}\\p{N}]+', '', 'g'), ''), lower(" ~ tag ~ "))"
      ) }},
      '^({{ js_frameworks() | join('|') }})js$', '\1'
    )
  {%- endif -%}
{%- endmacro %}

{# The words of a tag, in the singular and with symbols spelled out, joined by hyphens, to be compared word by word. #}
{% macro tag_phrase(tag) -%}
  trim(regexp_replace(
    regexp_replace(
      regexp_replace({{ spell_out_symbols(tag) }}, '[^\p{L}\p{N}]+', '-', 'g'),
      '([a-z]{3}[b-hk-rtv-z]|\b[ak]pi)s\b', '\1', 'g'
    ),
    '-(js|sharp|plus-plus)\b', '\1', 'g'
  ), '-')
{%- endmacro %}

{# A tag in lower case with its symbols spelled out. #}
{% macro spell_out_symbols(tag) -%}
  replace(replace(regexp_replace(lower({{ tag }}), '(dot|[.])(net|js)\b', '\2', 'g'), '#', 'sharp'), '+', 'plus')
{%- endmacro %}

{#
  A key without the plural of its last word. Names that only look like plurals keep their s: those that end in -as, -js,
  -ss and -us, those of up to four letters (ios, adfs, ssrs) except a few common ones, and those listed.
#}
{% macro singular(key) -%}
  case
    when regexp_matches({{ key }}, '(windows|rails|sails|news|jenkins)$') then {{ key }}
    else regexp_replace(regexp_replace(regexp_replace({{ key }},
      '([a-z]{2})ies$', '\1y'),
      '(ss|x|sh|tch)es$', '\1'),
      '([a-z]{3}[b-ik-rtv-z]|api|app|bot|cdn|gui|ide|kpi|orm|pdf|sdk|url|vpn)s$', '\1')
  end
{%- endmacro %}

{# Frameworks that people write with and without -js; no names that mean something else without it (math, async, d). #}
{% macro js_frameworks() %}
  {{ return(['aurelia', 'backbone', 'd3', 'durandal', 'ember', 'express', 'grunt', 'gulp', 'handlebars', 'hapi',
    'knockout', 'koa', 'marionette', 'meteor', 'next', 'node', 'nuxt', 'phantom', 'polymer', 'react', 'redux', 'require',
    'three', 'underscore', 'vue']) }}
{% endmacro %}

{# An assessment's tag without the words that only say that it is a test. #}
{% macro unwrapped_tag(tag) -%}
  {%- set bare = "replace(lower(" ~ tag ~ "), '-in-' || split_part(lower(" ~ tag ~ "), '-', 1), '')" -%}
  regexp_replace(regexp_replace({{ bare }},
    '[-_ ](core[-_ ]skills|fundamentals|essentials|basics|for[-_ ]beginners|creative[-_ ]professionals)$', ''),
    '(^using[-_ ]|\b(getting[-_ ]started|introduction)[-_ ](in|with|to)[-_ ])', '')
{%- endmacro %}

{# The tag of a course or an interest without a leading using-, which is never part of a subject. #}
{% macro without_using(tag) -%}
  regexp_replace({{ tag }}, '^using[-_ ]', '', 'i')
{%- endmacro %}

{#
  An unwrapped tag without the words that often follow the product in the name of its test. 'windows-server-management' is
  windows-server, but 'project-management' is not a test of project: names of one word keep their -management.
#}
{% macro product_of_test(unwrapped_tag) -%}
  regexp_replace(regexp_replace({{ unwrapped_tag }},
    '[-_ ](framework|game[-_ ]development)$', ''),
    '([-_ ].+)[-_ ]management$', '\1')
{%- endmacro %}

{#
  A key without the version or edition at its end; null if it has none: 'html5', 'powershellv3', 'sqlserver2016',
  'aftereffectscc'. Three digits are a brand (office365, fusion360), and too few letters before the number are not a name
  (d3, s3, mp3). web and industry with a number are other subjects.
#}
{% macro unversioned_key(key) -%}
  {%- set bare -%}
    nullif(regexp_extract({{ key }}, '^(.*?\p{L}{3,}?)(v?[0-9]{1,2}|(19|20)[0-9]{2}|cc|cc(19|20)[0-9]{2}|cs[0-9])$', 1), '')
  {%- endset -%}
  {#- Few keys end in a number, so the costly expression runs only for those. #}
  case
    when regexp_matches({{ key }}, '([0-9]|cc)$') then nullif(nullif({{ singular(bare) }}, 'web'), 'industry')
  end
{%- endmacro %}

{# The first word of a tag. #}
{% macro first_word(tag) -%}
  regexp_extract({{ tag }}, '^[^-_ ]*')
{%- endmacro %}

{# What follows the first word of a tag. #}
{% macro without_first_word(tag) -%}
  regexp_replace({{ tag }}, '^[^-_ ]*[-_ ]*', '')
{%- endmacro %}

{#
  Words that are part of many names, or that mean one thing alone and another inside a name (fusion is a program, and
  cold-fusion a language). If a longer tag contains one of them, that is a hint, not a rule: tag_links then also needs
  users who have both.
#}
{% macro common_words() %}
  {{ return([
    'access', 'administration', 'analysis', 'animate', 'app', 'application', 'architecture', 'automation', 'build',
    'c', 'client', 'code', 'collection', 'com', 'communication', 'component', 'computer', 'core', 'craft', 'd',
    'data', 'deployment', 'design', 'developer', 'development', 'documentation', 'dojo', 'drawing', 'edge',
    'editing', 'engineering', 'express', 'fake', 'flash', 'flow', 'form', 'foundation', 'fragment', 'framework',
    'fusion', 'game', 'go', 'illustration', 'infrastructure', 'integration', 'intent', 'interface', 'inventor',
    'layout', 'lean', 'lens', 'less', 'licensing', 'lightning', 'logging', 'mac', 'management', 'math',
    'mechanical', 'messaging', 'microsoft', 'migration', 'mobile', 'model', 'modeling', 'monitoring', 'operator',
    'parse', 'pattern', 'pipeline', 'platform', 'play', 'practice', 'process', 'productivity', 'programming',
    'project', 'r', 'rendering', 'rhino', 'role', 'scratch', 'script', 'scripting', 'search', 'server', 'service',
    'silo', 'sketch', 'skill', 'smoke', 'software', 'sound', 'spark', 'studio', 'system', 'task', 'test',
    'testing', 'text', 'time', 'tool', 'tracing', 'transaction', 'travel', 'trigger', 'troubleshooting', 'ui', 'view',
    'visual-studio', 'visualization', 'web', 'word', 'workflow'
  ]) }}
{% endmacro %}

{#
  Pointwise mutual information of two things, from how many users have both, each, and how many users there are,
  normalised to 1 for things that only occur together (Bouma 2009); 0 if they occur together no more often than by chance.
#}
{% macro mutual_information(having_both, having_one, having_other, all) -%}
  case
    when {{ having_both }} = {{ all }} then 1.0
    else greatest(
      0.0,
      ln({{ having_both }} * {{ all }} / ({{ having_one }} * {{ having_other }})) / -ln({{ having_both }} / {{ all }})
    )
  end
{%- endmacro %}
