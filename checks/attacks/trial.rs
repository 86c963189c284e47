//! One trial: an attack on services of its own, and its measurements.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use tokio::time::{sleep, timeout};

use crate::{
    attack::{Attack, Evidence},
    bounds::Bounds,
    gauge::Gauge,
    honest::{Answers, Honest},
    stage::Stage,
};

/// The honest client calls this long before the attack and after it.
const HONEST_ALONE_FOR: Duration = Duration::from_millis(500);
/// An attack that takes longer has failed.
const ATTACK_TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) backend: testkit::Backend,
    pub(crate) programs: Option<PathBuf>,
    pub(crate) bounds: Bounds,
}

/// The measurements beside an attack.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Growth in bytes of the service that grew more.
    pub(crate) growth: u64,
    pub(crate) honest: Answers,
    pub(crate) log_lines: usize,
    /// `None` if it took too long.
    pub(crate) normal_after: Option<Duration>,
    pub(crate) evidence: Evidence,
}

/// The result of an attack.
#[derive(Debug)]
pub(crate) struct Trial {
    /// `None` if it could not be made.
    pub(crate) measured: Option<Measured>,
    pub(crate) violations: Vec<String>,
}

impl Trial {
    pub(crate) fn held(&self) -> bool {
        self.violations.is_empty()
    }
}

pub(crate) async fn run(attack: &Attack, options: &Options) -> Trial {
    match measure(attack, options).await {
        Ok(measured) => Trial { violations: options.bounds.violations(&measured), measured: Some(measured) },
        Err(error) => Trial { measured: None, violations: vec![format!("not made: {error:#}")] },
    }
}

async fn measure(attack: &Attack, options: &Options) -> anyhow::Result<Measured> {
    let stage = Stage::start(options, &attack.setup).await?;
    let honest = Honest::new(&stage)?;
    honest.warm_up().await.context("before the attack")?;
    let gauges =
        [&stage.consultation, &stage.finance].map(|service| Gauge::set(service.process.id(), service.log.clone()));
    let [consultation, finance] = gauges;
    let (consultation, finance) = (consultation?, finance?);

    let working = honest.work()?;
    sleep(HONEST_ALONE_FOR).await;
    let evidence = timeout(ATTACK_TIMEOUT, (attack.steps)(&stage)).await;
    let evidence =
        evidence.unwrap_or_else(|_| Ok(Evidence::default().hole_if(true, "the attack went on for a minute")))?;
    let normal_after = honest.normal_again(&options.bounds).await;
    sleep(HONEST_ALONE_FOR).await;
    let answers = working.stop().await?;

    Ok(Measured {
        growth: consultation.growth()?.max(finance.growth()?),
        log_lines: consultation.log_lines()? + finance.log_lines()?,
        honest: answers,
        normal_after,
        evidence,
    })
}
