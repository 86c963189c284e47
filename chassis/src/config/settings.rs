//! Flags and environment variables of a service, made by a macro: each service has its own prefix.

/// Defines `ServerSettings`, the flags and variables that every service has, under the service's own prefix: so one
/// process can take the settings of two services.
#[macro_export]
macro_rules! server_settings {
    ($flag:literal, $variable:literal, bind = $bind:literal, metrics = $metrics:literal, database = $database:literal) => {
        chassis::read_replica_settings!($flag, $variable);

        /// Address, database, credentials and rules of the service.
        #[derive(Clone, Debug, clap::Args)]
        #[group(skip)]
        pub struct ServerSettings {
            /// Address and port to listen on
            #[arg(id = concat!($flag, "-bind"), long, env = concat!($variable, "_BIND"), default_value = $bind)]
            #[arg(global = true, value_name = "ADDRESS", value_parser = chassis::config::address)]
            bind: std::net::SocketAddr,
            /// Address and port for Prometheus, which needs no login there, or none
            #[arg(id = concat!($flag, "-metrics-bind"), long, env = concat!($variable, "_METRICS_BIND"))]
            #[arg(global = true, value_name = "ADDRESS", default_value = $metrics)]
            metrics_bind: chassis::config::MetricsBind,
            /// Most client connections at once, 16 to 100000; beyond it the oldest idle one is closed [default: half of the
            /// unreserved descriptors, at most 768]
            #[arg(id = concat!($flag, "-max-connections"), long, env = concat!($variable, "_MAX_CONNECTIONS"))]
            #[arg(global = true, value_name = "NUMBER", value_parser = chassis::gate::connections::max_connections)]
            max_connections: Option<usize>,
            /// Database: sqlite://FILE or postgres://USER:PASSWORD@HOST,HOST/DATABASE [default: a SQLite file under data/]
            #[arg(id = concat!($flag, "-database-url"), long, env = concat!($variable, "_DATABASE_URL"))]
            #[arg(global = true, value_name = "URL", hide_env_values = true)]
            database_url: Option<secrecy::SecretString>,
            /// File with the database URL
            #[arg(id = concat!($flag, "-database-url-file"), long, env = concat!($variable, "_DATABASE_URL_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            database_url_file: Option<std::path::PathBuf>,
            /// Most connections to PostgreSQL, 2 to 1000, beside one for readiness and one for notifications. All processes
            /// share the server's max_connections
            #[arg(id = concat!($flag, "-database-connections"), long, env = concat!($variable, "_DATABASE_CONNECTIONS"))]
            #[arg(global = true, value_name = "NUMBER", default_value_t = chassis::database::DEFAULT_CONNECTIONS)]
            #[arg(value_parser = chassis::config::connections)]
            database_connections: usize,
            #[command(flatten)]
            read_replica: ReadReplicaSettings,
            /// Largest difference between this machine's clock and the database's, 100ms to 1m; beyond it the service is not ready
            #[arg(id = concat!($flag, "-max-clock-difference"), long, env = concat!($variable, "_MAX_CLOCK_DIFFERENCE"))]
            #[arg(global = true, value_name = "DURATION", default_value = "2s")]
            #[arg(value_parser = chassis::config::clock_difference)]
            max_clock_difference: std::time::Duration,
            /// User name for HTTP Basic, without a colon [default: admin]
            #[arg(id = concat!($flag, "-username"), long, env = concat!($variable, "_USERNAME"))]
            #[arg(global = true, value_name = "NAME", value_parser = chassis::config::username, hide_env_values = true)]
            username: Option<String>,
            /// Password for HTTP Basic, at least 8 characters if other machines can reach the service [default: teste123,
            /// for development only]
            #[arg(id = concat!($flag, "-password"), long, env = concat!($variable, "_PASSWORD"))]
            #[arg(global = true, value_name = "PASSWORD", hide_env_values = true)]
            password: Option<secrecy::SecretString>,
            /// File with the password
            #[arg(id = concat!($flag, "-password-file"), long, env = concat!($variable, "_PASSWORD_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            password_file: Option<std::path::PathBuf>,
            /// File of users with bcrypt or argon2 hashes, as `htpasswd -B` writes it, in place of the one user; changes apply
            /// without a restart
            #[arg(id = concat!($flag, "-htpasswd-file"), long, env = concat!($variable, "_HTPASSWD_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            htpasswd_file: Option<std::path::PathBuf>,
            /// File of the users' roles beside the htpasswd file, as Apache's group file: `ROLE: USER USER` lines; changes
            /// apply without a restart [default: every user has all roles]
            #[arg(id = concat!($flag, "-groups-file"), long, env = concat!($variable, "_GROUPS_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            groups_file: Option<std::path::PathBuf>,
            /// Accept bearer tokens (JWT) of this OpenID Connect issuer: the claim `iss`, exactly. Without a user or htpasswd
            /// file HTTP Basic is then off [default: no tokens]
            #[arg(id = concat!($flag, "-token-issuer"), long, env = concat!($variable, "_TOKEN_ISSUER"))]
            #[arg(global = true, value_name = "URL", value_parser = chassis::config::issuer_url, hide_env_values = true)]
            token_issuer: Option<String>,
            /// The claim `aud` that tokens must have: the name of this service at the issuer
            #[arg(id = concat!($flag, "-token-audience"), long, env = concat!($variable, "_TOKEN_AUDIENCE"))]
            #[arg(global = true, value_name = "NAME")]
            token_audience: Option<String>,
            /// File with the issuer's public keys (JWKS); changes apply without a restart [default: the issuer is asked, by
            /// its /.well-known/openid-configuration]
            #[arg(id = concat!($flag, "-token-keys-file"), long, env = concat!($variable, "_TOKEN_KEYS_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            token_keys_file: Option<std::path::PathBuf>,
            /// JSON pointer to the claim with the caller's roles, an array or a text with spaces; of Keycloak /realm_access/roles
            #[arg(id = concat!($flag, "-token-roles-claim"), long, env = concat!($variable, "_TOKEN_ROLES_CLAIM"))]
            #[arg(global = true, value_name = "POINTER", default_value = chassis::config::DEFAULT_ROLES_CLAIM)]
            #[arg(value_parser = chassis::config::json_pointer)]
            token_roles_claim: String,
            /// Accept the public password and short ones on an address that other machines can reach
            #[arg(id = concat!($flag, "-development"), long, env = concat!($variable, "_DEVELOPMENT"))]
            #[arg(global = true, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
            development: bool,
            /// Networks of proxies whose X-Forwarded-For gives the client's address, separated by commas
            #[arg(id = concat!($flag, "-trusted-proxies"), long, env = concat!($variable, "_TRUSTED_PROXIES"))]
            #[arg(global = true, value_name = "NETWORKS", default_value = chassis::config::DEFAULT_TRUSTED_PROXIES)]
            trusted_proxies: chassis::gate::client_address::TrustedProxies,
            /// File with the certificate (PEM) for HTTPS; changes apply without a restart [default: plain HTTP]
            #[arg(id = concat!($flag, "-tls-certificate-file"), long, env = concat!($variable, "_TLS_CERTIFICATE_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            tls_certificate_file: Option<std::path::PathBuf>,
            /// File with the certificate's private key (PEM)
            #[arg(id = concat!($flag, "-tls-key-file"), long, env = concat!($variable, "_TLS_KEY_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            tls_key_file: Option<std::path::PathBuf>,
            /// File with the certificates (PEM) of the issuers of client certificates: each client then needs one, beside
            /// its login; changes apply without a restart [default: clients need none]
            #[arg(id = concat!($flag, "-tls-client-ca-file"), long, env = concat!($variable, "_TLS_CLIENT_CA_FILE"))]
            #[arg(global = true, value_name = "FILE")]
            tls_client_ca_file: Option<std::path::PathBuf>,
            /// Let clients read the schema, by introspection and by suggestions in errors
            #[arg(id = concat!($flag, "-introspection"), long, env = concat!($variable, "_INTROSPECTION"))]
            #[arg(global = true, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
            introspection: bool,
            /// Directory of trusted documents, the only ones that are executed: *.graphql files and *.json maps from id to text
            /// [default: any document is executed]
            #[arg(id = concat!($flag, "-trusted-documents"), long, env = concat!($variable, "_TRUSTED_DOCUMENTS"))]
            #[arg(global = true, value_name = "DIRECTORY")]
            trusted_documents: Option<std::path::PathBuf>,
            /// Host names that clients may use, separated by commas, beside those of loopback
            /// [default: any; on a loopback address only those of loopback]
            #[arg(id = concat!($flag, "-allowed-hosts"), long, env = concat!($variable, "_ALLOWED_HOSTS"))]
            #[arg(global = true, value_name = "NAMES", value_delimiter = ',')]
            #[arg(value_parser = chassis::gate::browsers::host_name)]
            allowed_hosts: Vec<String>,
            /// Origins whose pages may call (CORS), separated by commas, as in https://app.example [default: none]
            #[arg(id = concat!($flag, "-cors-origins"), long, env = concat!($variable, "_CORS_ORIGINS"))]
            #[arg(global = true, value_name = "ORIGINS", value_delimiter = ',', hide_env_values = true)]
            #[arg(value_parser = chassis::gate::browsers::origin)]
            cors_origins: Vec<chassis::gate::browsers::Origin>,
            /// Let browsers send their stored credentials with calls of those pages
            #[arg(id = concat!($flag, "-cors-credentials"), long, env = concat!($variable, "_CORS_CREDENTIALS"))]
            #[arg(global = true, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
            cors_credentials: bool,
            /// Address of the other service's GraphiQL, linked in this one's, as browsers reach it [all-in-one: known]
            #[arg(id = concat!($flag, "-graphiql-link"), long, env = concat!($variable, "_GRAPHIQL_LINK"))]
            #[arg(global = true, value_name = "URL", value_parser = chassis::gate::browsers::page_address)]
            graphiql_link: Option<String>,
        }

        impl ServerSettings {
            /// Reads the secrets and validates the combination of settings.
            ///
            /// # Errors
            /// When settings contradict each other or a file cannot be read.
            pub fn resolve(self) -> anyhow::Result<chassis::config::Server> {
                self.read().map_err(chassis::cli::wrong_setting)
            }

            fn read(self) -> anyhow::Result<chassis::config::Server> {
                let url_flag = concat!("--", $flag, "-database-url");
                let database_url = chassis::config::secret(url_flag, self.database_url, self.database_url_file)?;
                let database_url = database_url.unwrap_or_else(|| $database.into());
                let token_issuer = chassis::config::token_issuer(
                    $flag,
                    self.token_issuer,
                    self.token_audience,
                    self.token_keys_file,
                    self.token_roles_claim,
                )?;
                let (introspection, trusted_documents) = (self.introspection, self.trusted_documents);
                Ok(chassis::config::Server {
                    name: $flag,
                    bind: self.bind,
                    metrics_bind: self.metrics_bind.0,
                    max_connections: self.max_connections,
                    read_replica: self.read_replica.resolve(&database_url)?,
                    database_url,
                    database_connections: self.database_connections,
                    max_clock_difference: self.max_clock_difference,
                    access: chassis::config::access(
                        $flag,
                        self.username,
                        self.password,
                        self.password_file,
                        self.htpasswd_file,
                        self.groups_file,
                        token_issuer.is_some(),
                    )?,
                    token_issuer,
                    trusted_proxies: self.trusted_proxies,
                    development: self.development,
                    tls: chassis::tls::Files::given(
                        $flag,
                        self.tls_certificate_file,
                        self.tls_key_file,
                        self.tls_client_ca_file,
                    )?,
                    api: chassis::config::Api { introspection, trusted_documents },
                    browsers: chassis::gate::browsers::Browsers {
                        allowed_hosts: self.allowed_hosts,
                        cors_origins: self.cors_origins,
                        cors_credentials: self.cors_credentials,
                        graphiql_link: self.graphiql_link,
                    },
                })
            }
        }
    };
}
