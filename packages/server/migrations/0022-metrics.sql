-- One row for each set of labels that ever had a point. The hash is of the team and all labels, so that two servers make one row of it.
create table metric_series (
  id            bigint generated always as identity primary key,
  hash          bytea not null unique,
  team          text collate "C" not null,
  app           text collate "C" not null,
  name          text collate "C" not null,
  labels        jsonb not null,
  first_seen_at timestamptz not null default now(),
  last_seen_at  timestamptz not null default now()
) with (fillfactor = 90);
create index metric_series_of on metric_series (team, app, name);
create index metric_series_named on metric_series (name);

create table metric_metadata (
  team text collate "C" not null,
  name text collate "C" not null,
  type text not null,
  help text not null,
  unit text not null,
  primary key (team, name)
);

-- Points as they came: one row holds those of many series. Compaction makes blocks of them within minutes.
create table metric_batches (
  id         bigint generated always as identity primary key,
  -- Team and app when a row is of one app alone; empty for a row of several.
  owner      text collate "C" not null,
  written_at timestamptz not null default now(),
  from_ms    bigint not null,
  until_ms   bigint not null,
  points     integer not null,
  data       bytea not null
);
alter table metric_batches alter column data set storage external;

-- Points by series. Blocks may overlap in time: of one time the block with the higher id is right.
create table metric_blocks (
  series   bigint not null,
  id       bigint generated always as identity,
  -- 0 as it came, 1 by minute, 2 by hour.
  tier     smallint not null,
  from_ms  bigint not null,
  until_ms bigint not null,
  points   integer not null,
  data     bytea not null
);
alter table metric_blocks alter column data set storage external;
create index metric_blocks_of on metric_blocks (series, until_ms);
create index metric_blocks_at on metric_blocks using brin (until_ms);

-- Running totals of what comes as differences.
create table metric_totals (
  series bigint primary key,
  value  double precision not null,
  at_ms  bigint not null
) with (fillfactor = 50);

-- What was not taken, and why.
create table metric_dropped (
  team    text collate "C" not null,
  app     text collate "C" not null,
  reason  text not null,
  day     date not null,
  points  bigint not null,
  last_at timestamptz not null,
  primary key (team, app, reason, day)
);

-- Work that only one of several servers does at a time.
create table metric_turns (
  name text primary key,
  at   timestamptz not null
);
