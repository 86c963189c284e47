//! Both services in this process: each knows where the other is.

use anyhow::{Context, ensure};
use chassis::{
    Lifecycle,
    cli::{self, wrong_setting},
    config::{Access, Server},
    server,
};
use consultation::config::{Credentials, FinanceSettings, FinanceTarget, Password};
use migration::{consultation::Migrator as ConsultationMigrator, finance::Migrator as FinanceMigrator};

/// Migrates both databases and starts both services.
pub(crate) async fn start(
    settings: consultation::config::Settings,
    of_finance: &finance::config::Settings,
    servers: [Server; 2],
) -> anyhow::Result<Lifecycle> {
    let [consultation, finance] = servers;
    let to_finance = to_finance(settings.finance, &finance)?;
    let mut lifecycle = Lifecycle::new()?;
    let shutdown = lifecycle.shutdown();

    let payments = cli::connect(&finance).await?;
    payments.migrate::<FinanceMigrator>().await.context("finance: cannot migrate the database")?;
    cli::use_database(&mut lifecycle, &finance, &payments).await?;
    let service = finance::app::build(&finance, of_finance.currency, &payments, &shutdown)?;
    server::start(&mut lifecycle, finance.name, server::listen(&finance)?, service);

    let consultations = cli::connect(&consultation).await?;
    consultations.migrate::<ConsultationMigrator>().await.context("consultation: cannot migrate the database")?;
    cli::use_database(&mut lifecycle, &consultation, &consultations).await?;
    let service = consultation::app::build(&consultation, to_finance, &settings.domain, &consultations, &shutdown)?;
    server::start(&mut lifecycle, consultation.name, server::listen(&consultation)?, service);
    Ok(lifecycle)
}

/// Each GraphiQL links to the other, unless a setting says where that is.
pub(crate) fn linked(mut servers: [Server; 2]) -> [Server; 2] {
    let [consultation, finance] = servers.each_ref().map(|server| format!("{}/graphiql", server.local_url()));
    servers[0].browsers.graphiql_link.get_or_insert(finance);
    servers[1].browsers.graphiql_link.get_or_insert(consultation);
    servers
}

/// The finance that consultation calls: by default the one of this process, as its one user.
pub(crate) fn to_finance(settings: FinanceSettings, finance: &Server) -> anyhow::Result<FinanceTarget> {
    let mut own = FinanceTarget::in_development(format!("{}/graphql", finance.local_url()).parse()?);
    if let Access::User { username, password } = &finance.access {
        let (username, password) = (username.clone(), Password::Given(password.clone()));
        own.credentials = Credentials::Password { username, password };
    }
    let own_url = own.url.clone();
    let target = settings.resolve(own)?;
    let is_refused =
        matches!((&finance.access, &target.credentials), (Access::TokensOnly, Credentials::Password { .. }));
    let check = || {
        ensure!(
            !is_refused || target.url != own_url,
            "finance accepts tokens only: give --consultation-finance-token-file, or a user and htpasswd file for finance"
        );
        Ok(())
    };
    check().map_err(wrong_setting)?;
    Ok(target)
}
