-- What others tell of changes that they made: of flags, of databases, of a provider. By CloudEvents; source and id name an event for good.
create table change_events (
  team        text collate "C" not null,
  app         text collate "C" not null,
  source      text collate "C" not null,
  id          text collate "C" not null,
  environment text collate "C" not null,
  at          timestamptz not null,
  type        text not null,
  subject     text,
  text        text not null,
  data        jsonb,
  primary key (team, app, source, id)
);
create index change_events_at on change_events (team, app, at);
