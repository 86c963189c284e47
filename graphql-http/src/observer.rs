//! What operations did, for the application's audit log.
//!
//! Resolvers tell which objects they have read or changed, by [`Touched`]. The observer receives one [`Operation`] for
//! each operation that touched any, one for each such event of a subscription, and one for each that was refused since no
//! role permits it. Without an observer nothing is collected.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, Response, parser::types::OperationType};
use uuid::Uuid;

use crate::{Caller, Rule};

/// Ids that are collected of one operation: a page of a list. The count tells of more.
const MAX_IDS: usize = 100;

/// Receives operations.
pub trait Observer: Send + Sync + 'static {
    /// Called once the operation has ended, in its task.
    fn observe(&self, operation: &Operation<'_>);
}

/// An operation, or one event of a subscription. It holds no text of the client but the name of the caller.
#[derive(Debug)]
pub struct Operation<'a> {
    /// Who sent it.
    pub caller: &'a Caller,
    /// The id of its request; over a WebSocket that of the upgrade.
    pub request_id: &'a str,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Its root fields that have a rule; of a refused operation those up to the refusal.
    pub root_fields: &'a [&'static str],
    /// The sensitive names in it, likewise.
    pub sensitive: &'a [&'static str],
    /// The first 100 objects that it touched.
    pub ids: &'a [Uuid],
    /// The number of all that it touched.
    pub count: usize,
    /// How it ended.
    pub ending: Ending,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// Without an error.
    Done,
    /// With an error, after it had touched objects.
    Failed,
    /// No role of the caller permits this name. Nothing ran.
    Refused(&'static Rule),
}

/// The objects that an operation touches, for its resolvers.
#[derive(Clone, Copy, Debug)]
pub struct Touched<'a>(Option<&'a Objects>);

impl<'a> Touched<'a> {
    /// Those of the operation of `ctx`.
    #[must_use]
    pub fn by(ctx: &Context<'a>) -> Self {
        Self(ctx.data_opt())
    }

    /// Adds objects that were read or changed. None is worth telling too: the caller looked for some.
    pub fn add(self, ids: impl IntoIterator<Item = Uuid>) {
        let Some(Objects(touched)) = self.0 else { return };
        let mut touched = touched.lock().unwrap_or_else(PoisonError::into_inner);
        let List { ids: kept, count } = touched.get_or_insert_default();
        for id in ids {
            *count += 1;
            if kept.len() < MAX_IDS {
                kept.push(id);
            }
        }
    }
}

/// In the data of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects(Arc<Mutex<Option<List>>>);

impl Objects {
    /// Forgets them: the operation runs again.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[derive(Debug, Default)]
struct List {
    ids: Vec<Uuid>,
    count: usize,
}

/// The names of an operation that have rules.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) root_fields: Vec<&'static str>,
    pub(crate) sensitive: Vec<&'static str>,
    pub(crate) refused: Option<&'static Rule>,
}

/// The observation of one operation.
pub(crate) struct Observation {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) caller: Caller,
    pub(crate) request_id: Arc<str>,
    pub(crate) kind: OperationType,
    pub(crate) names: Names,
    pub(crate) objects: Objects,
}

impl Observation {
    /// Tells of the objects that were touched up to this response.
    pub(crate) fn responded(&self, response: &Response) {
        self.tell(if response.errors.is_empty() { Ending::Done } else { Ending::Failed });
    }

    /// Tells of the refusal, if there was one.
    pub(crate) fn refused(&self) {
        if let Some(rule) = self.names.refused {
            self.tell_of(&List::default(), Ending::Refused(rule));
        }
    }

    fn tell(&self, ending: Ending) {
        let touched = self.objects.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(touched) = touched {
            self.tell_of(&touched, ending);
        }
    }

    fn tell_of(&self, List { ids, count }: &List, ending: Ending) {
        let Names { root_fields, sensitive, .. } = &self.names;
        self.observer.observe(&Operation {
            caller: &self.caller,
            request_id: &self.request_id,
            kind: self.kind,
            root_fields,
            sensitive,
            ids,
            count: *count,
            ending,
        });
    }
}

/// An operation that panics, or an event whose client goes away, has touched objects too.
impl Drop for Observation {
    fn drop(&mut self) {
        self.tell(Ending::Failed);
    }
}
