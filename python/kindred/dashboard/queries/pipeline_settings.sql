-- The settings of the build, which are the vars of dbt_project.yml.
-- One row per setting.
-- setting_name: The name of the var.
-- setting_value: The value of the var.
select
    entries.key as setting_name,
    coalesce(json_extract_string(entries.value, '$'), 'null') as setting_value
from build_info
cross join json_each(build_info.settings_json) as entries
order by setting_name
