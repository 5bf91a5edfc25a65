-- Quota in full: grants with an end, files that do not count, bytes that give way, and a ledger that explains it all.

-- Settled bytes of files that do not count.
alter table locker add column exempt_bytes integer not null default 0 check (exempt_bytes >= 0);
-- Since when more is used than the quota allows.
alter table locker add column over_since integer;

-- Why a file does not count; null for one that does.
alter table drive_file add column exempt text check (exempt in ('purchase', 'gift', 'import'));
-- What it counts; null is its whole size. Fewer bytes where a stored copy is shared and its owners share the cost.
alter table drive_file add column charged_bytes integer check (charged_bytes >= 0);
-- When its present content came.
alter table drive_file add column stored_at integer not null default 0;
update drive_file set stored_at = created_at;

-- What a row of the ledger moved besides the used bytes, and a word for people.
alter table ledger add column exempt_bytes integer not null default 0;
alter table ledger add column reclaimable_bytes integer not null default 0;
alter table ledger add column note text not null default '';
create index ledger_user on ledger (user_id);

-- Bytes given to a user on top of the plan, for a while or for good.
create table quota_grant (
    quota_grant_id integer primary key autoincrement not null,
    user_id        integer not null references user on delete cascade,
    -- `set-tier`: at least so much; `add-bytes`: so much more.
    kind           text not null check (kind in ('set-tier', 'add-bytes')),
    -- A tier by its plan, or by its bytes.
    plan_id        integer references plan,
    bytes          integer check (bytes >= 0),
    starts_at      integer not null,
    -- Null has no end.
    ends_at        integer check (ends_at is null or starts_at < ends_at),
    reason         text not null default '',
    -- Who gave it: an administrator, a delivery, a rule.
    origin         text not null check (origin in ('admin', 'delivery', 'rule')),
    created_by     integer references user on delete set null,
    created_at     integer not null,
    -- Taken back; the row stays, for it explains figures of its time.
    removed_at     integer,
    check (iif(kind = 'set-tier', (plan_id is null) <> (bytes is null), plan_id is null and bytes is not null))
) strict;
create index quota_grant_user on quota_grant (user_id);
create index quota_grant_plan on quota_grant (plan_id) where plan_id is not null;
