use kernel::*;
fn send<T: Send>(_: T) {}
pub fn check(store: Store, actor: Actor, name: String) {
    send(async move {
        let n = &name;
        within!(store, &actor, tx => { tx.query("select $1", &[n]).await?; tx.rules(When::Before, "a", "b", &serde_json::json!({})).await?; Ok(n.len()) })
    });
}
