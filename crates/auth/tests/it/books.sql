create schema books;
comment on schema books is 'For tests.';
create table books.payments (
    like app.record including all,
    amount  app.money not null,
    secret_note text,
    status  text,
    workspace_id uuid,
    constraint payments_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces
);
comment on table books.payments is 'Money.';
select app.enroll('books.payments');
select app.workflow('books.payments', 'status', 'pending -> verified : verify');
