-- What happened in an incident: appended to, never changed. The dedupe key makes what the platform finds by itself stand there once.
create table incident_entries (
  id       bigint generated always as identity primary key,
  incident uuid not null,
  -- When it happened, not when it was entered.
  at       timestamptz not null,
  kind     text collate "C" not null,
  actor    text not null,
  text     text not null,
  data     jsonb,
  dedupe   text collate "C" not null,
  unique (incident, dedupe)
);
create index incident_entries_order on incident_entries (incident, at, id);

-- Which incident an alert led to. An alert that fires again is another firing.
create table incident_alerts (
  alert    uuid not null,
  since    timestamptz not null,
  team     text collate "C" not null,
  name     text collate "C" not null,
  incident uuid not null,
  primary key (alert, since)
);
create index incident_alerts_incident on incident_alerts (incident);
