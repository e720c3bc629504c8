-- Service accounts, tokens with bounds, single sign-on, second factors, lockout, workload identity.
alter table tokens add column service_account text;
-- Access rules that bound the token, whatever its owner may.
alter table tokens add column bounds jsonb;
-- Through which identity provider the session came, and its session id there.
alter table tokens add column provider text;
alter table tokens add column provider_session text;
create index tokens_by_provider_session on tokens (provider, provider_session) where provider_session is not null;

-- Codes of sign-ins under way: single sign-on, the loopback and the device flow of the command line. Digests only.
create table sign_in_codes (
  digest     bytea primary key,
  purpose    text not null,
  content    jsonb not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index sign_in_codes_by_expiry on sign_in_codes (expires_at);

-- Failed sign-ins by name and by address, until they are forgotten.
create table sign_in_failures (
  subject      text primary key,
  failures     int not null,
  failed_at    timestamptz not null,
  locked_until timestamptz
);

-- Time-based one-time passwords of local accounts; the secret is sealed, recovery codes are digests.
create table second_factors (
  username     text primary key,
  secret       bytea not null,
  confirmed_at timestamptz,
  -- The last time step whose code was used: a code counts once.
  last_step    bigint not null default 0,
  recovery     bytea[] not null default '{}'
);

-- Values that only this platform reads, sealed with keys/identity.key: client secrets, signing keys.
create table identity_secrets (
  name       text primary key,
  sealed     bytea not null,
  changed_at timestamptz not null default now()
);

-- Keys that sign tokens of workloads. A key is published before it signs and after it has ceased to.
create table signing_keys (
  id          text primary key,
  algorithm   text not null,
  public_key  jsonb not null,
  sealed      bytea not null,
  signs_from  timestamptz not null,
  retires_at  timestamptz not null,
  gone_at     timestamptz not null
);
