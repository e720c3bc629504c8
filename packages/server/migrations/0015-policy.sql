-- What policies refused, warned of, noted or could not judge.
create table policy_decisions (
  at          timestamptz not null default now(),
  policy      text collate "C" not null,
  rule        text collate "C" not null,
  mode        text not null,
  outcome     text not null,
  denied      boolean not null,
  point       text not null,
  actor       text not null,
  team        text collate "C" not null,
  app         text collate "C" not null,
  kind        text not null,
  name        text collate "C" not null,
  environment text collate "C" not null,
  message     text not null
);
create index policy_decisions_at on policy_decisions (at);
create index policy_decisions_by_policy on policy_decisions (policy, at);
create index policy_decisions_by_app on policy_decisions (team, app, at);

-- Which rules what lives does not keep, and since when.
create table policy_findings (
  team        text collate "C" not null,
  app         text collate "C" not null,
  kind        text not null,
  name        text collate "C" not null,
  environment text collate "C" not null,
  policy      text collate "C" not null,
  rule        text collate "C" not null,
  outcome     text not null,
  verdict     jsonb not null,
  since       timestamptz not null default now(),
  primary key (team, app, kind, name, environment, policy, rule)
);
create index policy_findings_by_policy on policy_findings (policy, team, app);
