//! Patroni's REST API, asked past all wires.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::{Node, SUPERUSER};

/// A machine that hangs does not answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Patroni answers when the switchover is over.
const SWITCHOVER_TIMEOUT: Duration = Duration::from_secs(40);

#[derive(Debug)]
pub(super) struct Rest {
    http: Client,
}

/// A server as the leader sees it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// `leader`, `sync_standby` or `replica`.
    pub(super) role: String,
    state: String,
    pub(super) timeline: Option<i64>,
}

impl Member {
    pub(super) fn is_running(&self) -> bool {
        // From Patroni 3.1 on a standby that receives says so.
        matches!(self.state.as_str(), "running" | "streaming")
    }
}

impl Rest {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self { http: chassis::http_client::builder().timeout(ANSWER_TIMEOUT).build()? })
    }

    /// Whether etcd has decided on its version, which Patroni reads at its start.
    pub(super) async fn has_etcd(&self, port: u16) -> bool {
        let Ok(answer) = self.http.get(format!("http://127.0.0.1:{port}/version")).send().await else { return false };
        answer.text().await.is_ok_and(|text| text.contains("etcdcluster") && !text.contains("not_decided"))
    }

    /// The server that holds the lease, if it is not `old`.
    pub(super) async fn leader<'a>(&self, nodes: &'a [Node], old: Option<&Node>) -> Option<&'a Node> {
        for node in nodes.iter().filter(|node| old.is_none_or(|old| old.name != node.name)) {
            if self.ask(node, Method::GET, "primary", String::new()).await.is_ok() {
                return Some(node);
            }
        }
        None
    }

    pub(super) async fn members(&self, node: &Node) -> anyhow::Result<Vec<Member>> {
        let answer = self.ask(node, Method::GET, "cluster", String::new()).await?;
        let cluster: Value = serde_json::from_slice(&answer.bytes().await?)?;
        let text = |member: &Value, name: &str| member[name].as_str().unwrap_or_default().to_owned();
        let members = cluster["members"].as_array().context("no members")?.iter().map(|member| Member {
            name: text(member, "name"),
            role: text(member, "role"),
            state: text(member, "state"),
            timeline: member["timeline"].as_i64(),
        });
        Ok(members.collect())
    }

    /// Changes settings of the whole cluster.
    pub(super) async fn change(&self, node: &Node, settings: &str) -> anyhow::Result<()> {
        self.ask(node, Method::PATCH, "config", settings.to_owned()).await.map(drop)
    }

    pub(super) async fn switch_over(&self, leader: &Node, candidate: &Node) -> anyhow::Result<()> {
        let names = json!({ "leader": leader.name, "candidate": candidate.name });
        self.ask(leader, Method::POST, "switchover", names.to_string()).await.map(drop)
    }

    async fn ask(&self, node: &Node, method: Method, path: &str, body: String) -> anyhow::Result<Response> {
        let [user, password] = SUPERUSER;
        let timeout = if path == "switchover" { SWITCHOVER_TIMEOUT } else { ANSWER_TIMEOUT };
        let request = self.http.request(method, format!("http://127.0.0.1:{}/{path}", node.rest_port));
        let answer = request.basic_auth(user, Some(password)).timeout(timeout).body(body).send().await?;
        ensure!(answer.status().is_success(), "{}: {path}: {}", node.name, answer.status());
        Ok(answer)
    }
}
