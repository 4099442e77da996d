-- What became of the rows of each input file, and how new it is: rows read are those kept, folded and rejected.
-- One row per file.
select
    file,
    rows_read,
    rows_kept,
    rows_folded,
    rows_rejected,
    newest_at
from input_files
order by file
