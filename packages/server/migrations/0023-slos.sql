-- Minutes of which traffic was counted, with the batch that last changed them: whoever keeps sums learns what to count again.
create table traffic_minutes (
  -- Minutes since the epoch.
  minute integer primary key,
  batch  bigint not null
);
create index traffic_minutes_batch on traffic_minutes (batch);

-- What an Slo counted in a minute. Minutes without events have no row; those with bad ones are kept as long as hours are.
create table slo_minutes (
  slo    uuid not null,
  minute integer not null,
  -- Events as they came.
  good   double precision not null,
  total  double precision not null,
  -- What of the budget they used, and of what.
  bad    double precision not null,
  units  double precision not null,
  -- 1: nobody knows what happened.
  gap    smallint not null default 0,
  -- By release, where there were bad ones.
  detail jsonb,
  primary key (slo, minute)
);
create index slo_minutes_minute on slo_minutes (minute);

create table slo_hours (
  slo   uuid not null,
  -- First minute of the hour.
  hour  integer not null,
  good  double precision not null,
  total double precision not null,
  bad   double precision not null,
  units double precision not null,
  gap   integer not null,
  primary key (slo, hour)
);
create index slo_hours_hour on slo_hours (hour);

-- Running sums of each Slo, so that a minute costs the same whatever the window.
create table slo_sums (
  slo  uuid primary key,
  sums jsonb not null
);

-- How far all of them are, in one row: whoever holds it evaluates.
create table slo_evaluation (
  one   boolean primary key default true check (one),
  -- Newest minute that is in the sums.
  head  integer not null,
  -- Newest batch of traffic that is in the sums.
  batch bigint not null,
  -- Quiet minutes before this one are not kept, so what comes later for them is not taken in.
  pruned integer not null default 0
);

-- Apps and environments that were given drafts once: what a person deletes does not come back.
create table slo_drafted (
  app         uuid not null,
  environment text collate "C" not null,
  primary key (app, environment)
);
