-- What scorecards say of apps, as it is now, and one row a day for the trend.
create table scorecard_results (
  team       text collate "C" not null,
  app        text collate "C" not null,
  scorecard  text collate "C" not null,
  level      text,
  next       text,
  score      integer not null,
  rules      jsonb not null,
  changed_at timestamptz not null default now(),
  primary key (team, app, scorecard)
);
create index scorecard_results_by_card on scorecard_results (scorecard, score, team, app);
create table scorecard_history (
  day       date not null,
  team      text collate "C" not null,
  app       text collate "C" not null,
  scorecard text collate "C" not null,
  level     text,
  score     integer not null,
  primary key (scorecard, team, app, day)
);

-- Pages of the documentation that lies beside the source, as of the newest release that serves.
create table catalog_docs (
  team       text collate "C" not null,
  app        text collate "C" not null,
  path       text collate "C" not null,
  title      text not null,
  markdown   text not null,
  -- Release that brought the page as it is.
  release    integer not null,
  changed_at timestamptz not null default now(),
  words      tsvector not null,
  primary key (team, app, path)
);
create index catalog_docs_words on catalog_docs using gin (words);

-- Definitions of APIs, each as it was when it changed.
create table catalog_apis (
  team       text collate "C" not null,
  app        text collate "C" not null,
  path       text collate "C" not null,
  release    integer not null,
  format     text not null,
  title      text not null,
  definition text not null,
  at         timestamptz not null default now(),
  primary key (team, app, path, release)
);
