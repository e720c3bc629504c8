-- Every version of every template with its files: upgrades render old versions again.
create table template_versions (
  team          text collate "C" not null,
  name          text collate "C" not null,
  version       text not null,
  -- As the kind Template has it.
  manifest      jsonb not null,
  -- gzip of a JSON object: path → contents in base64, with x for what may be executed.
  content       bytea not null,
  digest        text not null,
  notes         text,
  registered_at timestamptz not null default now(),
  primary key (team, name, version)
);

-- Secrets of runs that have not ended, sealed with a key of this installation.
create table template_run_secrets (
  run    uuid primary key,
  sealed bytea not null
);
