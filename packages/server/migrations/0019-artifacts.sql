-- What is known of an artifact beyond its files.
create table artifact_records (
  team       text not null,
  app        text not null,
  digest     text not null,
  -- Build that made it.
  build      text not null,
  at         timestamptz not null default now(),
  -- ArtifactComponent[].
  components jsonb not null,
  -- SecretFinding[] of the source.
  secrets    jsonb not null,
  -- CycloneDX, as it was written: its digest stands in the statement.
  sbom       text not null,
  -- DSSE envelope of the in-toto statement.
  envelope   jsonb not null,
  primary key (team, app, digest)
);

-- Advisories of OSV, once for every package that they name.
create table advisories (
  ecosystem text not null,
  package   text not null,
  id        text not null,
  -- Of the import that brought it; older ones go when an import has ended.
  import    bigint not null,
  data      jsonb not null,
  primary key (ecosystem, package, id)
);
create table advisory_imports (
  -- Without the release of a distribution.
  ecosystem   text primary key,
  advisories  integer not null,
  imported_at timestamptz not null,
  newest_at   timestamptz not null
);
create sequence advisory_import_numbers;
