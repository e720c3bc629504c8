-- Where a change came from, why, and the version that it replaced.
alter table audit add column address text, add column reason text, add column previous bigint;

-- The hash chain over the audit: one row for each of its rows, made a moment later, so that a write does not wait for it.
create table audit_chain (
  rv     bigint primary key,
  -- Of the audit row.
  id     bigint not null,
  -- sha256 over the hash before and the audit row.
  hash   bytea not null,
  -- sha256 of the object as the change left it; null for what is no change of an object.
  digest bytea
);

-- Signed heads of the chain, the newest of every hour: who can write to the database cannot make these.
create table audit_seals (
  hour      timestamptz primary key,
  at        timestamptz not null default now(),
  rv        bigint not null,
  hash      bytea not null,
  -- Fingerprint of the public key.
  key       text not null,
  signature bytea not null
);
