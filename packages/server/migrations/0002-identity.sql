-- Tokens and one-time login keys. Only digests are kept.
create table tokens (
  id         text primary key,
  -- sha256 of the token; tokens are random, so a slow hash would add nothing.
  digest     bytea not null unique,
  -- First characters, shown in lists.
  prefix     text not null,
  description text not null default '',
  -- Either a user's own token, or one of a team with a role.
  username   text,
  team       text,
  role       text,
  app        text,
  created_by text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used  timestamptz,
  revoked_at timestamptz,
  check ((username is null) <> (team is null))
);
create table login_keys (
  digest     bytea primary key,
  username   text not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);
