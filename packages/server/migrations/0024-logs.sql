-- Whoever writes lines: an instance, or what sends for an app. Few, and every server remembers them.
create table log_sources (
  id          integer generated always as identity primary key,
  team        text collate "C" not null,
  app         text collate "C" not null,
  environment text collate "C" not null,
  release     integer,
  process     text collate "C",
  instance    text collate "C",
  -- What a sender calls itself, when it is no instance of ours.
  sender      text collate "C",
  made_at     timestamptz not null default now(),
  unique nulls not distinct (team, app, environment, release, process, instance, sender)
);

-- Apps by number, so that a line and its index entry are short.
create table log_apps (
  id   integer generated always as identity primary key,
  team text collate "C" not null,
  app  text collate "C" not null,
  unique (team, app)
);

-- One row a line, in partitions of an hour that the server makes ahead and drops.
create table log_lines (
  at         timestamptz not null,
  -- Order within a source: the offset behind the line in the file of an instance, otherwise a number that rises.
  seq        bigint not null,
  app        integer not null,
  source     integer not null,
  -- 0 not known, 1 debug, 2 info, 3 warn, 4 error.
  level      smallint not null,
  body       text not null,
  trace_id   bytea,
  request_id text,
  -- Of OpenTelemetry's records; a line of JSON has them in itself.
  attributes jsonb
) partition by range (at);
create index log_lines_of on log_lines (app, at);
create index log_lines_trace on log_lines using hash (trace_id) where trace_id is not null;
create index log_lines_request on log_lines using hash (request_id) where request_id is not null;

-- Orders what was sent.
create sequence log_sent;

-- How far the file of each instance was taken, committed with the lines.
create table log_positions (
  agent text not null,
  log   text not null,
  next  bigint not null,
  primary key (agent, log)
) with (fillfactor = 50);

-- Which server takes from an agent: a server that lost its turn cannot commit any more.
create table log_takers (
  agent text primary key,
  taker uuid not null
);
