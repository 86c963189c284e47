//! Two cells behind one door: host names choose the cell, and a clinic moves from one to the other.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Answer, GraphqlClient, OwnServer, Process, free_port};
use uuid::Uuid;

const CELLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docker/cells");
const HOST: &str = "a.clinic.example";
const START: &str = "mutation ($a: UUID!) { startConsultation(input: { physicianId: $a, patientId: $a }) {
    consultation { id } } }";
const FINISH: &str = "mutation ($id: UUID!) { finishConsultation(input: { consultationId: $id }) {
    consultation { price } } }";
const PAYMENT: &str = "query ($id: UUID!) { payment(appointmentId: $id) { totalPrice } }";

/// A cell with the services of the clinic, if they run there.
struct Cell {
    server: OwnServer,
    ports: [u16; 2],
}

impl Cell {
    fn start() -> Option<Self> {
        let server = OwnServer::start()?;
        server.execute("CREATE ROLE clinic LOGIN");
        Some(Self { server, ports: [free_port(), free_port()] })
    }

    /// The settings of a service of the clinic.
    fn settings(&self, name: &str) -> Vec<(&'static str, String)> {
        let url = format!("postgres://clinic@{}/clinic_a", self.server.address());
        let [consultation, finance] = self.ports.map(|port| format!("127.0.0.1:{port}"));
        let finance_url = format!("http://{finance}/graphql");
        if name == "finance" {
            return vec![
                ("FINANCE_BIND", finance),
                ("FINANCE_DATABASE_URL", url),
                ("FINANCE_ALLOWED_HOSTS", HOST.to_owned()),
            ];
        }
        vec![
            ("CONSULTATION_BIND", consultation),
            ("CONSULTATION_DATABASE_URL", url),
            ("CONSULTATION_FINANCE_URL", finance_url),
            ("CONSULTATION_ALLOWED_HOSTS", HOST.to_owned()),
        ]
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let settings = self.settings(name);
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Process::command(name, arguments, &settings)
    }

    async fn service(&self, name: &str) -> Process {
        let port = self.ports[usize::from(name == "finance")];
        let process = Process::spawn(self.command(name, &[]).stderr(Stdio::null()), port);
        process.client.until_ready().await;
        process
    }
}

/// HAProxy with the configuration of docker/cells, in which only addresses are others. It is killed when this is dropped.
struct Door {
    process: Child,
    ports: [u16; 2],
    _directory: TempDir,
}

impl Door {
    fn open(cells: [&Cell; 2], cell_of_the_clinic: &str) -> Self {
        let (directory, ports) = (tempfile::tempdir().expect("a directory"), [free_port(), free_port()]);
        let map = directory.path().join("cells.map");
        let text = fs::read_to_string(format!("{CELLS}/cells.map")).expect("a map");
        fs::write(&map, text.replace(&format!("{HOST} north"), &format!("{HOST} {cell_of_the_clinic}")))
            .expect("a file");
        let mut settings = fs::read_to_string(format!("{CELLS}/haproxy.cfg")).expect("a configuration");
        settings = settings.replace("/usr/local/etc/haproxy/cells.map", &map.display().to_string());
        for (index, port) in ["8010", "8020"].into_iter().enumerate() {
            settings = settings.replace(&format!("bind :{port}"), &format!("bind 127.0.0.1:{}", ports[index]));
            for (name, cell) in ["north", "south"].into_iter().zip(cells) {
                settings = settings.replace(&format!("{name}:{port}"), &format!("127.0.0.1:{}", cell.ports[index]));
            }
        }
        let file = directory.path().join("haproxy.cfg");
        fs::write(&file, settings).expect("a file");
        let process = Command::new("haproxy").arg("-f").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let process = process.expect("haproxy is installed");
        Self { process, ports, _directory: directory }
    }

    /// Asks the clinic's service, 0 consultation or 1 finance, by its host name.
    async fn ask(&self, host: &str, service: usize, query: &str, variables: Value) -> Answer {
        let client = GraphqlClient::new(format!("http://127.0.0.1:{}", self.ports[service]));
        let request = client.request(Method::POST, "/graphql").header("host", host);
        let request = request.header("content-type", "application/json");
        Answer::of(request.body(json!({ "query": query, "variables": variables }).to_string())).await
    }

    async fn until_answered(&self) {
        let is_answered = async |service| {
            let client = GraphqlClient::new(format!("http://127.0.0.1:{}", self.ports[service]));
            let answer = client.get("/readyz").header("host", HOST).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        };
        while !(is_answered(0).await && is_answered(1).await) {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

#[tokio::test]
async fn a_clinic_moves_to_another_cell_with_all_that_it_was_told() {
    let is_missing = Command::new("haproxy").arg("-v").output().is_err();
    if is_missing && std::env::var_os("REQUIRE_POSTGRES").is_none() {
        return;
    }
    let (Some(north), Some(south)) = (Cell::start(), Cell::start()) else { return };
    north.server.execute("CREATE DATABASE clinic_a OWNER clinic");
    for name in ["consultation", "finance"] {
        assert!(north.command(name, &["migrate"]).output().expect("it runs").status.success());
    }
    let (consultation, finance) = (north.service("consultation").await, north.service("finance").await);
    let door = Door::open([&north, &south], "north");
    door.until_answered().await;
    let misdirected = door.ask("z.clinic.example", 0, "{ __typename }", Value::Null).await;
    assert_eq!((misdirected.status, misdirected.code()), (421, "UNKNOWN_HOST"));

    // One that is paid, one whose payment is on its way when the clinic moves, and one in progress.
    let mut ids = Vec::new();
    for _ in 0..3 {
        let started = door.ask(HOST, 0, START, json!({ "a": Uuid::new_v4() })).await;
        ids.push(started.body["data"]["startConsultation"]["consultation"]["id"].clone());
    }
    let paid = async |door: &Door, id: &Value| {
        let asked = door.ask(HOST, 1, PAYMENT, json!({ "id": id })).await;
        !asked.body["data"]["payment"].is_null()
    };
    door.ask(HOST, 0, FINISH, json!({ "id": ids[0] })).await;
    while !paid(&door, &ids[0]).await {}
    finance.kill().await;
    let finished = door.ask(HOST, 0, FINISH, json!({ "id": ids[1] })).await;
    assert!(finished.body["data"]["finishConsultation"]["consultation"]["price"].is_string(), "{}", finished.body);
    consultation.kill().await;
    drop(door);

    let url = |cell: &Cell| format!("postgres://postgres@{}", cell.server.address());
    let moved = Command::new(Path::new(CELLS).join("move")).args([&url(&north), &url(&south)]).arg("clinic_a").output();
    assert!(moved.as_ref().is_ok_and(|moved| moved.status.success()), "{moved:?}");
    // Nobody goes on in the old cell by mistake.
    let stale = north.command("consultation", &["migrate"]).output().expect("it runs");
    assert!(!stale.status.success());

    let (_consultation, _finance) = (south.service("consultation").await, south.service("finance").await);
    let door = Door::open([&north, &south], "south");
    door.until_answered().await;
    while !paid(&door, &ids[1]).await {}
    door.ask(HOST, 0, FINISH, json!({ "id": ids[2] })).await;
    while !paid(&door, &ids[2]).await {}
    let reconciled = south.command("consultation", &["reconcile"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&reconciled.stdout).contains("3 finished consultations, 3 payments"));
}
