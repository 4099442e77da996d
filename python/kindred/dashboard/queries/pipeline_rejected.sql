-- Rows that could not be used, with their line in the file. An empty file or reason means all.
-- One row per rejected line, at most 100.
select
    file,
    line_number,
    reason,
    user_handle,
    delivered_row
from rejected_rows
where
    ($file = '' or file = $file)
    and ($reason = '' or reason = $reason)
order by file, line_number
limit 100
