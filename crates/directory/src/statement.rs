//! What else the service signs with the directory's key, which its clients and auditors know: statements to people,
//! evidence, the desk's log.

use serde::{Deserialize, Serialize};

use crate::{SignerKey, Signers, labelled};

/// Who a statement is for. Each has a label of its own, so that none passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// A person: what was decided about them or their report.
    Notice,
    /// Whoever is given a case's evidence.
    Evidence,
    /// Whoever keeps the desk's log.
    Log,
}

/// A signature of one of the directory's keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedStatement {
    /// Which key signed.
    pub signer: u32,
    /// Ed25519.
    pub signature: Vec<u8>,
}

fn message(domain: &str, what: Statement, body: &[u8]) -> Vec<u8> {
    let label = match what {
        Statement::Notice => "notice",
        Statement::Evidence => "evidence",
        Statement::Log => "desk log",
    };
    labelled(label, &[domain.as_bytes(), body])
}

impl SignerKey {
    /// Signs a statement's bytes.
    pub fn sign_statement(&self, domain: &str, what: Statement, body: &[u8]) -> SignedStatement {
        SignedStatement { signer: self.number(), signature: self.sign(&message(domain, what, body)).to_vec() }
    }
}

impl Signers {
    /// Whether a key of the directory signed these bytes as this kind of statement.
    pub fn stated(&self, domain: &str, what: Statement, body: &[u8], signed: &SignedStatement) -> bool {
        self.signed(signed.signer, &message(domain, what, body), &signed.signature)
    }
}
