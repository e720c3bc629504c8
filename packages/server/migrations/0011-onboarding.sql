-- What each person did for the first time, and when: kept longer than the audit that it is read from.
create table milestones (
  username  text collate "C" not null,
  milestone text not null,
  at        timestamptz not null,
  primary key (username, milestone)
);
