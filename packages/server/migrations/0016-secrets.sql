-- Values of secrets, each version with a data key of its own that is wrapped by a master key kept elsewhere.
create table secret_values (
  secret  uuid not null,
  version integer not null,
  key_id  text collate "C" not null,
  wrapped bytea not null,
  nonce   bytea not null,
  sealed  bytea not null,
  tag     bytea not null,
  primary key (secret, version)
);
create index secret_values_by_key on secret_values (key_id);

-- Who had to do with a secret: stored, put in force, destroyed; and which apps were given which version.
create table secret_accesses (
  id          bigint generated always as identity primary key,
  at          timestamptz not null default now(),
  secret      uuid not null,
  team        text collate "C" not null,
  name        text collate "C" not null,
  version     integer not null,
  action      text not null,
  actor       text not null,
  app         text collate "C",
  environment text collate "C",
  reader      text collate "C"
);
create index secret_accesses_by_secret on secret_accesses (secret, id);
create index secret_accesses_at on secret_accesses (at);
-- An instance set is given a version once; its instances are its own business.
create unique index secret_accesses_read on secret_accesses (secret, version, reader) where action = 'read';
