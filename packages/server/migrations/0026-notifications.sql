-- Every message to somebody, from when it was due: what is to be sent, and the log of what was.
create table notifications (
  -- Also by which the other side knows it again when it is sent twice.
  id           uuid primary key,
  -- What became due first about an alert is sent first.
  place        bigint generated always as identity,
  team         text collate "C" not null,
  -- Of the Alert; null for a test.
  alert        uuid,
  alert_name   text collate "C",
  kind         text not null,
  level        integer not null,
  round        integer not null,
  -- user:ada or channel:ops.
  recipient    text collate "C" not null,
  -- NotificationChannel that carries it.
  channel      text collate "C" not null,
  -- Channels that failed before this one took over.
  after        text[] not null default '{}',
  state        text not null default 'Queued',
  attempts     integer not null default 0,
  next_at      timestamptz not null,
  created_at   timestamptz not null,
  delivered_at timestamptz,
  -- What is said, as it was when it became due.
  message      jsonb not null,
  -- What the other side answered last; never a secret.
  answer       text,
  unique (alert, kind, round, level, recipient, channel)
);
create index notifications_due on notifications (next_at) where state in ('Queued', 'Sending');
create index notifications_alert on notifications (alert, created_at);
create index notifications_channel on notifications (team, channel, created_at desc);

-- What the other side calls the thing that we opened there, for example the sys_id of a ticket.
create table notification_refs (
  team    text collate "C" not null,
  channel text collate "C" not null,
  alert   uuid not null,
  ref     text not null,
  at      timestamptz not null,
  primary key (team, channel, alert)
);
