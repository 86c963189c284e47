//! Database roles of `docker/postgres/roles.sql`, in a test's own PostgreSQL database.

use std::{path::Path, process::Command};

use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::TestDatabase;

const ROLES: [&str; 4] = ["consultation", "consultation_owner", "finance", "finance_owner"];
const PASSWORD: &str = "pg123";
/// Roles belong to the whole server: concurrent tests would collide.
static ROLE_LOCK: Mutex<()> = Mutex::const_new(());

impl TestDatabase {
    /// Creates the roles and their schemas, as an operator does.
    pub async fn make_roles(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docker/postgres/roles.sql");
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--dbname", &self.url(), "--file"]).arg(script);
        psql.envs(ROLES.map(|role| (format!("{}_DATABASE_PASSWORD", role.to_uppercase()), PASSWORD)));
        let _lock = ROLE_LOCK.lock().await;
        let output = tokio::task::spawn_blocking(move || psql.output().expect("psql runs")).await.expect("no panic");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// URL of the same database for one of these roles.
    #[must_use]
    pub fn url_of_role(&self, role: &str) -> SecretString {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (_, address) = rest.split_once('@').expect("a user");
        format!("{scheme}://{role}:{PASSWORD}@{address}").into()
    }
}
