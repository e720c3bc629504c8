-- Kernel: resources, their events, audit, queue. Forward only.

create table resources (
  kind      text collate "C" not null,
  namespace text collate "C" not null,
  name      text collate "C" not null,
  uid       uuid not null,
  rv        bigint not null,
  object    jsonb not null,
  -- What is indexed stands in columns of its own: a write that changes none of them touches no index (a heap-only update).
  labels    jsonb,
  owners    uuid[],
  -- The declared fields of the kind, by path.
  fields    jsonb,
  primary key (kind, namespace, name)
) with (fillfactor = 70);
create unique index resources_uid on resources (uid);
create index resources_labels on resources using gin (labels) where labels is not null;
create index resources_owners on resources using gin (owners) where owners is not null;

-- One counter for all writes: whoever holds its row commits before the next, so versions are ordered as commits are.
create table resource_version (
  one       boolean primary key default true check (one),
  value     bigint not null,
  -- Versions up to here are no longer among the events.
  compacted bigint not null default 0
) with (fillfactor = 10);
insert into resource_version (value) values (1);

create table resource_changes (
  rv        bigint primary key,
  at        timestamptz not null default now(),
  type      text not null,
  kind      text not null,
  namespace text not null,
  object    jsonb not null,
  -- Labels and indexed fields as they were, when they changed: watches with a selector need them.
  before    jsonb
);

create table audit (
  id         bigint generated always as identity primary key,
  at         timestamptz not null default now(),
  actor      text not null,
  token      text,
  verb       text not null,
  kind       text not null,
  namespace  text not null,
  name       text not null,
  uid        uuid,
  rv         bigint,
  request_id text
);
create index audit_resource on audit (kind, namespace, name, id);
create index audit_at on audit (at);

create table queue (
  controller text collate "C" not null,
  key        text collate "C" not null,
  -- Rises with every request; a run that saw an older one is followed by exactly one more.
  gen        bigint not null default 1,
  run_at     timestamptz not null default now(),
  attempts   integer not null default 0,
  -- Session lock of the process that runs it; null when nobody does.
  worker     integer,
  taken_gen  bigint,
  last_error text,
  primary key (controller, key)
) with (fillfactor = 50);
create index queue_due on queue (controller, run_at) where worker is null;
create index queue_taken on queue (worker) where worker is not null;
create sequence queue_workers as integer cycle;

create table resource_events (
  namespace  text not null,
  kind       text not null,
  name       text not null,
  uid        uuid not null,
  type       text not null,
  reason     text not null,
  message    text not null,
  source     text not null,
  count      integer not null default 1,
  first_seen timestamptz not null default now(),
  last_seen  timestamptz not null default now(),
  primary key (uid, reason, message)
);
create index resource_events_place on resource_events (namespace, last_seen);

create table idempotency (
  actor       text not null,
  key         text not null,
  fingerprint text not null,
  status      integer,
  body        text,
  at          timestamptz not null default now(),
  primary key (actor, key)
);

create table counters (
  name  text primary key,
  value bigint not null
);
