-- What the router counted, by interval. Instances of one release are added up; times are the beginnings of the intervals.
create table traffic (
  at            timestamptz not null,
  team          text collate "C" not null,
  app           text collate "C" not null,
  environment   text collate "C" not null,
  release       integer not null,
  interval_ms   integer not null,
  -- 1xx … 5xx.
  statuses      bigint[] not null,
  router_errors bigint not null,
  -- Counts by upper bound of duration; the last is everything slower.
  durations     bigint[] not null,
  duration_ms   double precision not null,
  bytes_in      bigint not null,
  bytes_out     bigint not null,
  primary key (team, app, environment, at, release)
);
create index traffic_at on traffic using brin (at);
-- How far each agent's records were taken, so that none counts twice.
create table traffic_taken (
  source   text primary key,
  sequence bigint not null
);
