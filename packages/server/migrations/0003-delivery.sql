-- What was built from which inputs: the same inputs are not built again.
create table build_inputs (
  team     text not null,
  app      text not null,
  inputs   text not null,
  artifact text not null,
  status   jsonb not null,
  at       timestamptz not null default now(),
  primary key (team, app, inputs)
);
create index build_inputs_artifact on build_inputs (artifact);
