//! The attacks, by attacker and target.

mod answers;
mod connections;
mod documents;
mod effects;
mod hostile_finance;
mod logins;
mod neighbours;
mod operations;
mod operators;
mod protocol;
mod requests;
mod subscriptions;
mod values;

use crate::attack::Attack;

pub(crate) fn attacks() -> Vec<Attack> {
    let families = [
        // Without credentials.
        connections::attacks(),
        protocol::attacks(),
        requests::attacks(),
        effects::attacks(),
        logins::attacks(),
        // With credentials.
        operations::attacks(),
        documents::attacks(),
        answers::attacks(),
        subscriptions::attacks(),
        values::attacks(),
        // A neighbour, a stolen container, a mistake of the operator.
        hostile_finance::attacks(),
        neighbours::attacks(),
        operators::attacks(),
    ];
    families.into_iter().flatten().collect()
}
