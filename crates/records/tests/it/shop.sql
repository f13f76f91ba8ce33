create schema shop;
comment on schema shop is 'For tests.';
create table shop.customers (
    like app.record including all,
    name    text not null constraint customer_has_a_name check (name ~ '\S'),
    code    text,
    email   app.email,
    credit  app.money not null default 0,
    tags    text[] not null default '{}',
    size    text check (size in ('small', 'large')),
    since   date,
    note    app.textarea
);
alter table shop.customers add constraint customer_code unique (organization_id, code);
comment on table shop.customers is 'Somebody who buys.';
comment on constraint customer_has_a_name on shop.customers is 'A customer needs a name.';
comment on constraint customer_code on shop.customers is 'Another customer has this code.';
create index customers_credit on shop.customers (organization_id, credit, id);
create index customers_since on shop.customers (organization_id, since, id);
create index customers_name on shop.customers (organization_id, name, id);
create index customers_size on shop.customers (organization_id, size, id);
select app.searchable('shop.customers', 'A: name, code; B: email; C: note');
select app.enroll('shop.customers');

create table shop.orders (
    like app.record including all,
    number       text not null default app.next_number('SO'),
    customer_id  uuid not null,
    status       text not null,
    ordered_on   date not null default current_date,
    net          app.money not null default 0,
    note         text,
    unique (organization_id, number),
    foreign key (organization_id, customer_id) references shop.customers
);
comment on table shop.orders is 'What somebody wants.';
select app.enroll('shop.orders');
create table shop.order_lines (
    like app.record including all,
    order_id  uuid not null,
    position  integer not null default 1,
    what      text not null,
    quantity  app.quantity not null default 1 constraint quantity_is_positive check (quantity > 0),
    price     app.money not null,
    net       app.money generated always as (round(quantity * price, 2)) stored,
    foreign key (organization_id, order_id) references shop.orders on delete cascade
);
comment on table shop.order_lines is 'One thing of it.';
comment on constraint quantity_is_positive on shop.order_lines is 'A quantity is more than nothing.';
select app.enroll_part('shop.order_lines', 'shop.orders', 'order_id');
select app.workflow('shop.orders', 'status', $$
    draft -> confirmed : confirm
    draft -> cancelled : cancel
    cancelled -> draft : reopen
$$);
select app.editable_in('shop.orders', 'status', '{draft}', keep => '{note}');
select app.total('shop.orders', 'shop.order_lines', 'order_id', 'net');

create table shop.visits (
    like app.record including all,
    name          text not null,
    worth         app.money not null default 0,
    status        text not null,
    assigned_to   uuid default app.actor(),
    workspace_id  uuid,
    follows_id    uuid,
    constraint visits_assigned foreign key (organization_id, assigned_to) references iam.memberships,
    constraint visits_workspace foreign key (organization_id, workspace_id) references tenancy.workspaces,
    constraint visits_follows foreign key (organization_id, follows_id) references shop.visits
);
comment on table shop.visits is 'Somebody is gone to see.';
select app.enroll('shop.visits', owner => 'assigned_to');
create table shop.visit_notes (
    like app.record including all,
    visit_id  uuid not null,
    text      text not null,
    foreign key (organization_id, visit_id) references shop.visits on delete cascade
);
comment on table shop.visit_notes is 'What was heard there.';
select app.enroll_part('shop.visit_notes', 'shop.visits', 'visit_id');
select app.workflow('shop.visits', 'status', 'planned -> done : finish');
