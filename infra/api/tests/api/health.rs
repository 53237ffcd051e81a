use std::sync::Arc;

use crate::{
    site::Site,
    tables::{Away, Full},
};

#[tokio::test]
async fn a_server_that_is_well_says_so_to_everybody() {
    let site = Site::new().await;
    for path in ["/health", "/health/ready"] {
        let body = site.get(path).send().await.fine();
        assert_eq!(body["status"], "ok");
        assert_eq!(body["version"], env!("CARGO_PKG_VERSION"));
    }
}

#[tokio::test]
async fn a_server_whose_store_takes_no_writes_is_not_ready() {
    let site = Site::new().await.over_another(|table| Arc::new(Full(table)));
    assert_eq!(site.get("/health/ready").send().await.problem(503), "store-away");
}

#[tokio::test]
async fn a_server_whose_store_is_away_is_alive_but_not_ready() {
    let site = Site::new().await.over_another(|_| Arc::new(Away));
    site.get("/health").send().await.fine();
    assert_eq!(site.get("/health/ready").send().await.problem(503), "store-away");
}
