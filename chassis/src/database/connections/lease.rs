//! The lease of a pooled connection, and its end: back to the pool, or closed.

use deadpool::managed::Object;
use sea_orm::{DbErr, sqlx::Error};
use tokio::sync::OwnedSemaphorePermit;

use super::super::{
    Session,
    connector::{Connector, terminate},
    faults,
};

/// A leased connection. Dropping it, as a cancelled future does, closes the connection.
#[derive(Debug)]
pub(in super::super) struct Lease {
    object: Option<Object<Connector>>,
    /// Places in the concurrency limits, released with the lease.
    _places: [Option<OwnedSemaphorePermit>; 2],
}

impl Lease {
    pub(super) fn new(object: Object<Connector>, places: [Option<OwnedSemaphorePermit>; 2]) -> Self {
        Self { object: Some(object), _places: places }
    }

    pub(in super::super) fn session(&mut self) -> Result<&mut Session, DbErr> {
        self.object.as_deref_mut().ok_or_else(|| DbErr::Custom("the connection is closed".to_owned()))
    }

    /// Returns the connection to the pool, or closes it after an error that is not about the statement.
    pub(in super::super) fn end<T>(mut self, result: Result<T, Error>) -> Result<T, DbErr> {
        match result {
            Err(error) if !faults::leaves_connection_usable(&error) => Err(self.close_after(error)),
            result => {
                drop(self.object.take());
                result.map_err(faults::about_statement)
            }
        }
    }

    /// Closes the connection after any error.
    pub(in super::super) fn close_after(self, error: Error) -> DbErr {
        if let (Some(object), true) = (&self.object, faults::is_silence(&error))
            && let Some(pool) = Object::pool(object)
        {
            // Logged once for all connections that were open at that time.
            if !pool.manager().is_distrusted(Object::metrics(object)) {
                tracing::warn!(%error, "a connection is silent; it and the idle ones are closed");
            }
            pool.manager().distrust_present();
            if let Some(backend) = object.backend() {
                tokio::spawn(terminate(pool, backend));
            }
        }
        faults::about_statement(error)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}
