-- Why rows could not be used, the most frequent reason first.
-- One row per file and reason.
-- rows: How many rows of the file were rejected for it.
-- first_line: The first line of the file that was.
select
    file,
    reason,
    count(*) as rows,
    min(line_number) as first_line
from rejected_rows
group by file, reason
order by rows desc, file, reason
