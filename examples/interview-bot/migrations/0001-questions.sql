-- What is asked. The interview of a level has these questions in the order of their positions.
create table questions (
  id       text primary key,
  level    text not null check (level in ('junior', 'senior')),
  position integer not null check (position between 1 and 100),
  topic    text not null,
  text     text not null,
  unique (level, position)
) strict;

insert into questions (id, level, position, topic, text) values
  ('junior-unknown', 'junior', 1, 'TypeScript',
    'A function receives a value of type `unknown`. How do you find out that it is a string before you call a method on it, and why is `unknown` a better type there than `any`?'),
  ('junior-missing', 'junior', 2, 'TypeScript',
    'A field of an object may be missing. What do `?.`, `??` and `!` each do with it, and when is `!` a mistake?'),
  ('junior-status', 'junior', 3, 'HTTP',
    'Somebody is not signed in; somebody is signed in but not allowed; somebody asks for a record that does not exist. Which status codes do you answer with, and how do they differ for the person at the other end?'),
  ('junior-twice', 'junior', 4, 'HTTP',
    'A person presses "Order" twice, and the order is placed twice. What do you change in the page, what do you change on the server, and why is one of the two not enough?'),
  ('junior-join', 'junior', 5, 'SQL',
    'A page lists all customers with the number of their orders. Write the query, and say what happens to customers who have never ordered anything.'),
  ('junior-injection', 'junior', 6, 'SQL',
    'The text of a search field ends up in a `where` clause. What can go wrong, how would you show a colleague that it does, and how do you prevent it?'),
  ('junior-timeout', 'junior', 7, 'Failure',
    'Your code calls another service, and now and then no answer comes. What do you do so that your own users do not wait for ever, and what do you tell them?'),
  ('junior-swallowed', 'junior', 8, 'Failure',
    'You find `catch (error) { return null }` in the code that saves a payment. What is wrong with it, and what do you write instead?'),

  ('senior-boundary', 'senior', 1, 'TypeScript',
    'The answers of a partner''s API are declared as a TypeScript interface. In production a field that is never null turns out to be null. Where should that have been noticed, and how do you keep types and reality together from now on?'),
  ('senior-inference', 'senior', 2, 'TypeScript',
    'In a code base with clever generic types the editor needs three seconds for a completion. How do you find the type that costs so much, and what do you put in its place?'),
  ('senior-payment', 'senior', 3, 'HTTP',
    'A client sends `POST /payments`, the connection breaks, and it does not know whether the payment was made. Design what both sides do so that trying again is safe, also after either of them has restarted.'),
  ('senior-lost-update', 'senior', 4, 'HTTP',
    'Two people edit the same record in their browsers and both press "Save". How do `ETag` and `If-Match` keep one from losing their work unnoticed, and what does the second person get to see?'),
  ('senior-slow-query', 'senior', 5, 'SQL',
    'A query that took 20 ms has taken 4 s since yesterday, and nobody has changed its text. What do you look at, in which order, and what do you expect to find?'),
  ('senior-transfer', 'senior', 6, 'SQL',
    'Two transactions move money between the same two accounts, in opposite directions, at the same time. What can happen under which isolation level, and how do you write them so that no money is lost and nothing hangs?'),
  ('senior-slow-service', 'senior', 7, 'Failure',
    'For ten minutes a service that you depend on answers after 30 s instead of 100 ms. What happens to your own service if nobody does anything? Which of timeout, retry, circuit breaker and bulkhead helps against what, and which of them can make it worse?'),
  ('senior-outbox', 'senior', 8, 'Failure',
    'An order is stored in your database, and a message about it has to reach a queue. The process may die between the two. How do you make sure that the message is sent if the order was stored, and only then?');
