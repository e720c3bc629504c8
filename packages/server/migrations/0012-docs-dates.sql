-- When, by whom and in which commit a page was last changed, where its repository is hosted here; null where that is not known.
alter table catalog_docs
  add column commit       text,
  add column committed_at timestamptz,
  add column author       text,
  -- Commit of the release whose history was looked through.
  add column history      text;
