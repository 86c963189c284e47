//! Last test target of `cargo test --workspace`: reports which databases the tests used.

use testkit::{Postgres, postgres};

fn main() {
    match postgres() {
        Postgres::At(_) => println!("\nDatabases: the tests ran on SQLite and on PostgreSQL.\n"),
        Postgres::Missing(why) => println!(
            "\nDatabases: THE POSTGRESQL HALF OF THE TESTS WAS SKIPPED: {why}.\nInstall PostgreSQL or set TEST_DATABASE_URL to run it. SQLite was tested.\n"
        ),
    }
}
