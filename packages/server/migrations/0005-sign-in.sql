-- Passwords of local accounts, as argon2id strings (which carry their salt and cost). Sessions of the portal are tokens.
create table passwords (
  username   text primary key,
  hash       text not null,
  changed_at timestamptz not null default now()
);
alter table tokens add column session boolean not null default false;
