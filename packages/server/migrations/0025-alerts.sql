-- What holds of each condition: a member is a series that a rule gave, or one of the alerts of an Slo.
create table alert_members (
  -- Of the AlertRule or Slo.
  source      uuid not null,
  fingerprint text collate "C" not null,
  -- Members of one group are one Alert.
  group_key   text collate "C" not null,
  labels      jsonb not null,
  state       text not null,
  since       timestamptz not null,
  fired_at    timestamptz,
  -- Since when a member that fires does not hold any more.
  false_since timestamptz,
  value       double precision,
  text        text,
  primary key (source, fingerprint)
);

create table alert_groups (
  source    uuid not null,
  group_key text collate "C" not null,
  team      text collate "C" not null,
  -- Name of the Alert that is open; null: none is.
  alert     text collate "C",
  -- Somebody resolved it while it still held: no other is opened until it has ended once.
  held      boolean not null default false,
  -- When Alerts of it were opened, of the last hour: what comes and goes is told of once.
  fires     timestamptz[] not null default '{}',
  primary key (source, group_key)
);

-- What one of several servers does in an interval.
create table alert_turns (
  name text collate "C" primary key,
  at   timestamptz not null
);
