-- What is told of a file whose bytes are nowhere is told of the file, wherever it moves: by the number of its row, no
-- longer by its path.
update notice set key = 'lent:' || (
    select f.drive_file_id from drive_file f join locker l using (locker_id)
    where notice.key = 'lent:' || f.reference_id || ':' || f.path and f.missing_at is not null
      and (l.user_id is null or l.user_id = notice.user_id))
where key like 'lent:%:%' and closed_at is null and exists (
    select 1 from drive_file f join locker l using (locker_id)
    where notice.key = 'lent:' || f.reference_id || ':' || f.path and f.missing_at is not null
      and (l.user_id is null or l.user_id = notice.user_id));
