//! Steps lead where the whole stands, and back.

use kernel::{Installed, Module, install, step_back};
use testkit::{empty_database, shape};

const V1: &str = "
create schema shop;
create table shop.things (like app.record including all, name text not null constraint thing_has_a_name check (name ~ '\\S'));
comment on table shop.things is 'Something.';
comment on constraint thing_has_a_name on shop.things is 'A thing needs a name.';
select app.enroll('shop.things');
";

const STEP: &str = "alter table shop.things add column color text check (color in ('red', 'blue'));
comment on table shop.things is 'Something with a colour.';

-- down: the colours are lost
alter table shop.things drop column color;
comment on table shop.things is 'Something.';
";

fn whole() -> &'static str {
    static WHOLE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    WHOLE.get_or_init(|| {
        V1.replace("~ '\\S'))", "~ '\\S'), color text check (color in ('red', 'blue')))")
            .replace("'Something.'", "'Something with a colour.'")
    })
}

fn shop(schema: &'static str, changes: &'static [(u32, &'static str)]) -> Module {
    Module {
        name: "shop",
        schema,
        meta: "",
        readme: "",
        texts: &[],
        changes,
        rules: &[],
        actions: &[],
        calls: &[],
    }
}

fn old() -> Module {
    shop(V1, &[])
}

fn new() -> Module {
    shop(whole(), &[(2, STEP)])
}

async fn try_on(client: &tokio_postgres::Client, module: &Module) -> Result<Installed, String> {
    install(client, &[module]).await.map_err(|e| format!("{e:?}"))
}

#[tokio::test]
async fn steps_lead_where_the_whole_stands_and_back() {
    let (stepped, fresh) = (empty_database().await, empty_database().await);
    assert!(try_on(&stepped, &old()).await.unwrap().fresh);
    let before = shape(&stepped, "shop").await;
    let organization = "insert into tenancy.organizations (name, slug) values ('Acme', 'acme')";
    stepped.batch_execute(organization).await.unwrap();
    let thing = "insert into shop.things (organization_id, name, created_by, updated_by)
        select id, 'Rope', app.new_id(), app.new_id() from tenancy.organizations";
    stepped.batch_execute(thing).await.unwrap();

    assert_eq!(try_on(&stepped, &new()).await.unwrap().changes, ["shop 2"]);
    assert_eq!(try_on(&stepped, &new()).await.unwrap().changes, [""; 0], "taken once");
    try_on(&fresh, &new()).await.unwrap();
    assert_eq!(shape(&stepped, "shop").await, shape(&fresh, "shop").await);

    for (database, program) in [(&stepped, old()), (&fresh, old())] {
        let refused = try_on(database, &program).await.unwrap_err();
        assert!(refused.contains("Use the newer program"), "{refused}");
        assert_eq!(step_back(database, &new()).await.unwrap(), 2);
        assert_eq!(shape(database, "shop").await, before);
        assert_eq!(try_on(database, &program).await.unwrap().changes, [""; 0]);
    }
    let names = stepped.query("select name from shop.things", &[]).await.unwrap();
    assert_eq!(names.iter().map(|r| r.get(0)).collect::<Vec<String>>(), ["Rope"]);
    let none = step_back(&stepped, &new()).await.unwrap_err();
    assert!(format!("{none:?}").contains("no step that could be taken back"), "{none:?}");
}

#[tokio::test]
async fn what_was_edited_behind_its_back_is_noticed() {
    let database = empty_database().await;
    try_on(&database, &old()).await.unwrap();
    let no_step = try_on(&database, &shop(whole(), &[])).await.unwrap_err();
    assert!(no_step.contains("no step under changes/ leads there"), "{no_step}");
    try_on(&database, &new()).await.unwrap();
    let edited = try_on(&database, &shop(whole(), &[(2, "select 1")])).await.unwrap_err();
    assert!(edited.contains("step 2 was edited after it was taken"), "{edited}");
    let broken =
        shop(whole(), &[(2, STEP), (3, "alter table shop.things add column size text; select 1 / 0")]);
    assert!(try_on(&database, &broken).await.is_err());
    let sizes =
        "select count(*) from pg_attribute where attrelid = 'shop.things'::regclass and attname = 'size'";
    assert_eq!(
        database.query_one(sizes, &[]).await.unwrap().get::<_, i64>(0),
        0,
        "a step is whole or not at all"
    );
}

#[tokio::test]
async fn two_servers_install_one_after_the_other() {
    let database = empty_database().await;
    let name: String = database.query_one("select current_database()", &[]).await.unwrap().get(0);
    let other = testkit::connect(&testkit::server("postgres", &name)).await;
    let (module, again) = (old(), old());
    let (one, two) = tokio::join!(try_on(&database, &module), try_on(&other, &again));
    assert_eq!([one.unwrap().fresh, two.unwrap().fresh].iter().filter(|f| **f).count(), 1);
}
