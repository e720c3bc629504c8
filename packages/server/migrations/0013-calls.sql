-- Requests of one app to another, by minute, as far as the router knows who calls.
create table traffic_calls (
  at          timestamptz not null,
  from_team   text collate "C" not null,
  from_app    text collate "C" not null,
  team        text collate "C" not null,
  app         text collate "C" not null,
  environment text collate "C" not null,
  requests    bigint not null,
  errors      bigint not null,
  primary key (team, app, from_team, from_app, environment, at)
);
create index traffic_calls_at on traffic_calls using brin (at);
create index traffic_calls_from on traffic_calls (from_team, from_app, at);
-- Which app has ever called which, and when last: kept longer than the counts.
create table traffic_callers (
  from_team     text collate "C" not null,
  from_app      text collate "C" not null,
  team          text collate "C" not null,
  app           text collate "C" not null,
  first_seen_at timestamptz not null,
  last_seen_at  timestamptz not null,
  primary key (from_team, from_app, team, app)
);
create index traffic_callers_to on traffic_callers (team, app);

-- Who says that a relation is there; empty for what was merged before this was kept.
alter table catalog_relations add column origins text[] not null default '{}';
