-- Who wants to hear of the updates of a status page. Addresses are personal data: they go with the row, and the row when they are done.
create table status_subscriptions (
  id           uuid primary key,
  page         uuid not null,
  team         text collate "C" not null,
  name         text collate "C" not null,
  kind         text not null,
  address      text not null,
  state        text not null default 'Pending',
  -- When a mail was last sent to ask whether it is wanted.
  asked_at     timestamptz not null default now(),
  confirmed_at timestamptz,
  unique (page, kind, address)
);
create index status_subscriptions_address on status_subscriptions (address);

-- What each of them is told, once.
create table status_deliveries (
  id           uuid primary key,
  subscription uuid not null references status_subscriptions (id) on delete cascade,
  -- Of the update; `ask` for the question whether it is wanted.
  about        text collate "C" not null,
  message      jsonb not null,
  state        text not null default 'Queued',
  attempts     integer not null default 0,
  next_at      timestamptz not null default now(),
  created_at   timestamptz not null default now(),
  answer       text,
  unique (subscription, about)
);
create index status_deliveries_due on status_deliveries (next_at) where state = 'Queued';
