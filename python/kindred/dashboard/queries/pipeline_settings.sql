-- The settings that the build was made with; all are vars of dbt_project.yml.
-- One row per setting.
-- setting: The name of the var.
-- value: What it was.
select
    settings.key as setting,
    json_extract_string(settings.value, '$') as value
from build_info, json_each(build_info.settings_json) as settings
order by setting
