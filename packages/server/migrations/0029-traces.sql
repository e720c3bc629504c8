-- Spans as they came, all of them for a short time. Partitions by when they were stored, so that no clock of a sender matters.
create table spans_recent (
  stored_at   timestamptz not null default now(),
  at          timestamptz not null,
  duration_us bigint not null,
  trace_id    text collate "C" not null,
  span_id     text collate "C" not null,
  parent_id   text collate "C",
  team        text collate "C" not null,
  app         text collate "C" not null,
  environment text collate "C" not null,
  release     integer,
  instance    text collate "C",
  name        text not null,
  -- Of OpenTelemetry: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
  kind        smallint not null,
  failed      boolean not null,
  -- Of a request that the router saw.
  request_id  text collate "C",
  data        jsonb not null
) partition by range (stored_at);
create index on spans_recent (trace_id);
create index on spans_recent (team, app, at);
create index on spans_recent (request_id) where request_id is not null;

-- What is worth keeping of them: whole traces with an error or of a slow one, and a share of the others.
create table spans_kept (like spans_recent) partition by range (stored_at);
create index on spans_kept (trace_id);
create index on spans_kept (team, app, at);
create index on spans_kept (request_id) where request_id is not null;

-- A span may be in both for a moment; readers take each once.
create view spans as select * from spans_recent union all select * from spans_kept;

-- Partitions of spans_recent out of which everything worth keeping was taken.
create table spans_sampled (
  partition text primary key,
  at        timestamptz not null default now()
);
