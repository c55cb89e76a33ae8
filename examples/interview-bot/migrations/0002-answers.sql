-- One answer per candidate and question. A score comes later, whole or not at all.
create table answers (
  id           text primary key,
  candidate_id text not null,
  question_id  text not null references questions (id),
  text         text not null,
  answered_at  text not null,
  score        real check (score between 0 and 10),
  why          text,
  unique (candidate_id, question_id),
  check ((score is null) = (why is null))
) strict;
