-- What is known of the company's software, in the form of Backstage entities.
-- A layer is what one origin says of an entity; the entity is what all of them come to.
create table catalog_layers (
  ref      text collate "C" not null,
  -- derived (from resources), repository (catalog-info.yaml of what is deployed), import (another catalogue).
  origin   text not null,
  -- Who says so: the resource, the app, the file. One goes with all that it said.
  location text collate "C" not null,
  entity   jsonb not null,
  primary key (ref, origin, location)
);
create index catalog_layers_location on catalog_layers (location, origin);

create table catalog_entities (
  -- component:default/shop, lower case.
  ref         text collate "C" primary key,
  kind        text collate "C" not null,
  namespace   text collate "C" not null,
  name        text collate "C" not null,
  type        text,
  lifecycle   text,
  owner       text collate "C",
  title       text,
  tags        text[] not null default '{}',
  origins     text[] not null,
  entity      jsonb not null,
  -- Where what is declared and what is observed differ.
  drift       jsonb not null default '[]',
  changed_at  timestamptz not null default now(),
  words       tsvector not null
);
create index catalog_entities_by_name on catalog_entities (name, ref);
create index catalog_entities_by_kind on catalog_entities (kind, name, ref);
create index catalog_entities_by_type on catalog_entities (kind, type, name, ref);
create index catalog_entities_by_owner on catalog_entities (owner, name, ref);
create index catalog_entities_words on catalog_entities using gin (words);

create table catalog_relations (
  source text collate "C" not null,
  type   text not null,
  target text collate "C" not null,
  primary key (source, type, target)
);
create index catalog_relations_target on catalog_relations (target, type, source);

-- Source that an app's files were read from last, so that a source is read once.
create table catalog_taken (
  location text collate "C" primary key,
  source   text not null
);
