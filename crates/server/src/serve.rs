use crate::{config::Config, database::Database, demo, house::House};
use kernel::{Error, Result};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, signal::unix::SignalKind, sync::watch};

/// Requests on their way get so long to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs the server until it is told to stop.
pub(crate) async fn serve(config: &Config, with_demo: bool) -> Result<()> {
    let database = Database::open(config).await?;
    let installed = database.migrate().await?;
    for step in &installed.changes {
        tracing::info!(step, "upgraded");
    }
    if !installed.leakproof {
        tracing::warn!(
            "some filters will not use their indexes: let a DBA run crates/kernel/sql/leakproof.sql (docs/operations.md)"
        );
    }
    let house = House::open(config, &database).await?;
    let listener = TcpListener::bind(config.listen).await.map_err(|e| {
        Error::broken(format!(
            "cannot listen on {}: {e}. Is Fondaco running already? Set FONDACO_LISTEN for another port.",
            config.listen
        ))
    })?;
    if with_demo {
        demo::load(&house).await?;
    }
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(signals(stop));
    let minder = database.private.as_ref().map(|c| tokio::spawn(mind(Arc::clone(c), stopped.clone())));
    crate::say(&format!("Fondaco is open at {}", config.base_url()));
    if with_demo {
        crate::say(&demo::logins()?);
    }
    let app = web::app(house.state.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut ending = stopped.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        // The sender lives as long as the program.
        let _ = ending.wait_for(|stop| *stop).await;
    });
    let mut late = stopped;
    tokio::select! {
        served = server => served.map_err(|e| Error::broken(e.to_string()))?,
        () = async {
            let _ = late.wait_for(|stop| *stop).await;
            tokio::time::sleep(DRAIN).await;
        } => tracing::warn!("some requests did not end in time"),
    }
    house.close().await;
    if let Some(minder) = minder {
        // It may be about to start PostgreSQL again: only when it has ended may the cluster be stopped.
        let _ = minder.await;
    }
    if let Some(cluster) = database.private {
        let stopped = tokio::task::spawn_blocking(move || cluster.stop()).await;
        if let Ok(Err(e)) = stopped {
            tracing::error!("{e}");
        }
    }
    Ok(())
}

async fn signals(stop: watch::Sender<bool>) {
    let terminate = tokio::signal::unix::signal(SignalKind::terminate());
    match terminate {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
    tracing::info!("stopping");
    stop.send_replace(true);
}

/// Brings the private PostgreSQL back when it dies, and restarts it when its program was upgraded under it.
async fn mind(cluster: Arc<cluster::Cluster>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        let cluster = Arc::clone(&cluster);
        let looked = tokio::task::spawn_blocking(move || {
            if cluster.alive() && !cluster.outdated() {
                return Ok(false);
            }
            cluster.restart().map(|()| true)
        });
        match looked.await {
            Ok(Ok(true)) => tracing::warn!("PostgreSQL was started anew"),
            Ok(Err(e)) => tracing::error!("PostgreSQL does not start: {e}"),
            _ => {}
        }
    }
}
