-- What was stored together and is to be sent on: one row for each source of lines, or app of spans, in the transaction that stored
-- them. What they say is read where it is stored. In the order of transactions, because that of identities is not the one of commits.
create table export_queue (
  signal     text collate "C" not null,
  team       text collate "C" not null,
  tx         xid8 not null default pg_current_xact_id(),
  id         bigint generated always as identity,
  app        text collate "C" not null,
  environment text collate "C" not null,
  stored_at  timestamptz not null default now(),
  items      integer not null,
  from_at    timestamptz not null,
  until_at   timestamptz not null,
  -- Of lines.
  app_number integer,
  source     integer,
  from_seq   bigint,
  until_seq  bigint,
  primary key (signal, team, tx, id)
);

-- The same for points, which wait in metric_batches anyway until they become blocks.
alter table metric_batches add column tx xid8 not null default pg_current_xact_id();

-- Batches that became blocks before every export had sent them.
create table metric_backlog (
  tx         xid8 not null,
  id         bigint not null,
  owner      text collate "C" not null,
  written_at timestamptz not null,
  data       bytea not null,
  primary key (tx, id)
);
alter table metric_backlog alter column data set storage external;

-- How far each export came with each signal, and how it went. Everything up to (tx, id) is done, and `done` items of what comes next.
create table export_positions (
  export          text collate "C" not null,
  signal          text collate "C" not null,
  team            text collate "C" not null,
  name            text collate "C" not null,
  tx              xid8 not null,
  id              bigint not null,
  done            integer not null default 0,
  -- Which server has the turn, until when.
  holder          text,
  lease_until     timestamptz not null default now(),
  next_at         timestamptz not null default now(),
  failures        integer not null default 0,
  -- When the oldest of what is not sent was stored.
  behind_since    timestamptz,
  sent            bigint not null default 0,
  refused         bigint not null default 0,
  too_old         bigint not null default 0,
  gone            bigint not null default 0,
  began_at        timestamptz not null default now(),
  last_success_at timestamptz,
  failing_since   timestamptz,
  message         text,
  primary key (export, signal)
);
