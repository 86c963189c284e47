//! A hostile server in finance's place.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use crate::{
    attack::{Attack, Evidence},
    stage::{Setup, Stage},
};

/// The relay calls finance at least this often.
const CALLED_WITHIN: Duration = Duration::from_secs(6);

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        Attack::new("forged-log-line", "finance answers with line breaks and escapes in an error", |stage| {
            Box::pin(forged_log_line(stage))
        })
        .on(Setup { has_hostile_finance: true, ..Setup::default() }),
    ]
}

async fn forged_log_line(stage: &Stage) -> anyhow::Result<Evidence> {
    const FORGED: &str = "2026-01-01T00:00:00Z ERROR all payments are lost";
    let listener = TcpListener::bind(stage.hostile_finance).await?;
    let body = format!(r#"{{"data":null,"errors":[{{"message":"no\n{FORGED}\u001b[31m\u0000"}}]}}"#);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answering = async {
        while let Ok((mut caller, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let _ = caller.read(&mut request).await;
            let _ = caller.write_all(answer.as_bytes()).await;
        }
    };
    // The honest client finishes consultations meanwhile. The relay delivers their payments here.
    let _ = timeout(CALLED_WITHIN, answering).await;
    let log = stage.consultation.log_text()?;
    let is_forged = log.lines().any(|line| line.starts_with(FORGED)) || log.contains(['\u{1b}', '\0']);
    Ok(Evidence::of(1).hole_if(is_forged, "the log has a line of its own of it"))
}
