use crate::{config::Config, house::House};
use auth::{NewOrganization, NewUser};
use kernel::{Error, Result};
use serde_json::{Value, json};
use uuid::Uuid;

const PASSWORD: &str = "fondaco-demo";

struct Company {
    name: &'static str,
    country: &'static str,
    currency: &'static str,
    time_zone: &'static str,
    language: &'static str,
    owner: &'static str,
    domain: &'static str,
}

const COMPANIES: &[Company] = &[
    Company {
        name: "Northwind Traders",
        country: "US",
        currency: "USD",
        time_zone: "America/Los_Angeles",
        language: "en",
        owner: "owner@northwind.test",
        domain: "northwind.test",
    },
    Company {
        name: "MetaSys Logistics",
        country: "US",
        currency: "USD",
        time_zone: "America/Chicago",
        language: "en",
        owner: "owner@metasys.test",
        domain: "metasys.test",
    },
    Company {
        name: "Prometric Trade",
        country: "KZ",
        currency: "KZT",
        time_zone: "Asia/Almaty",
        language: "ru",
        owner: "owner@prometric.test",
        domain: "prometric.test",
    },
    Company {
        name: "Acme Corporation",
        country: "US",
        currency: "USD",
        time_zone: "America/New_York",
        language: "en",
        owner: "admin@acme.com",
        domain: "acme.com",
    },
    Company {
        name: "Dragonfly Productions",
        country: "GB",
        currency: "GBP",
        time_zone: "Europe/London",
        language: "en",
        owner: "owner@dragonfly.test",
        domain: "dragonfly.test",
    },
    Company {
        name: "PRS Sales",
        country: "US",
        currency: "USD",
        time_zone: "America/New_York",
        language: "en",
        owner: "owner@prs.test",
        domain: "prs.test",
    },
];

/// Roles that every demo company has a colleague for: `salesperson@prs.test`.
const COLLEAGUES: &[&str] = &["manager", "salesperson", "accountant", "verifier", "employee"];

/// What people are told when the demo is there.
pub(crate) fn logins() -> String {
    let owners: Vec<&str> = COMPANIES.iter().map(|c| c.owner).collect();
    format!(
        "Demo logins: {}\n  colleagues: {} at each of their domains; password for all: {PASSWORD}",
        owners.join(", "),
        COLLEAGUES.join("@, ")
    )
}

/// Makes the demo companies that are not there yet.
pub(crate) async fn load(_config: &Config, house: &House) -> Result<()> {
    for company in COMPANIES {
        if house.state.auth.find_user(company.owner).await.map_err(told)?.is_some() {
            continue;
        }
        found(house, company).await?;
        tracing::info!(company = company.name, "demo company made");
    }
    Ok(())
}

fn told(problem: auth::Problem) -> Error {
    match problem {
        auth::Problem::Kernel(e) => e,
        other => Error::broken(other.to_string()),
    }
}

async fn found(house: &House, company: &Company) -> Result<()> {
    let auth = &house.state.auth;
    let person = |email: String, first: &str, last: &str| NewUser {
        email,
        password: PASSWORD.into(),
        first_name: first.into(),
        last_name: last.into(),
        locale: company.language.into(),
        is_operator: false,
    };
    let owner = auth.create_user(&person(company.owner.into(), "Olivia", "Owner")).await.map_err(told)?;
    let new = NewOrganization {
        name: company.name.into(),
        country: company.country.into(),
        currency: company.currency.into(),
        time_zone: company.time_zone.into(),
        language: Some(company.language.into()),
        bin: None,
        modules: None,
    };
    let organization = auth.create_organization(owner, &new, Uuid::now_v7()).await.map_err(told)?.id;
    let known = &house.store.catalog().roles;
    for role in COLLEAGUES.iter().filter(|r| known.contains_key(**r)) {
        let mut first = (*role).to_owned();
        first[..1].make_ascii_uppercase();
        let user = auth
            .create_user(&person(format!("{role}@{}", company.domain), &first, "Demo"))
            .await
            .map_err(told)?;
        auth.add_member_with_roles(organization, user, &[(*role).to_owned()], Uuid::now_v7())
            .await
            .map_err(told)?;
    }
    day_of_trade(house, organization, owner).await
}

/// A few customers, products and orders, so that no page is empty.
async fn day_of_trade(house: &House, organization: Uuid, owner: Uuid) -> Result<()> {
    let actor = house.state.auth.actor_of(organization, owner, Uuid::now_v7()).await?;
    let catalog = house.store.catalog().clone();
    let make = async |entity: &str, body: Value| -> Result<Value> {
        records::create(&house.store, &actor, catalog.entity(entity)?, &body).await?.value()
    };
    let mut customers = Vec::new();
    for (name, city) in [("Aurora Foods", "Oslo"), ("Baltic Traders", "Riga"), ("Cedar & Sons", "Boston")] {
        let body = json!({ "name": name, "is_customer": true, "addresses": [{ "kind": "billing", "city": city, "is_default": true }] });
        customers.push(make("parties.parties", body).await?["id"].clone());
    }
    let mut products = Vec::new();
    for (code, name, price) in [
        ("TEA", "Black tea, 100 g", "4.50"),
        ("COF", "Coffee beans, 1 kg", "18.90"),
        ("CUP", "Cup, porcelain", "7.25"),
    ] {
        products.push(
            make("products.products", json!({ "sku": code, "name": name, "price": price })).await?["id"]
                .clone(),
        );
    }
    for (n, customer) in customers.iter().enumerate() {
        let lines: Vec<Value> = products
            .iter()
            .enumerate()
            .map(|(m, p)| json!({ "product_id": p, "quantity": (n + 1) * (m + 2) }))
            .collect();
        make("sales.orders", json!({ "customer_id": customer, "lines": lines })).await?;
    }
    Ok(())
}
