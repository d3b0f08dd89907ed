//! Puts cases in as they are: for trials and measurements. People's reports come in through the service itself.

use zegel_cases::{Case, Report};
use zegel_desk::OfficeResult;

use super::Desk;
use crate::clock::Now;

impl Desk {
    /// Adds cases with their reports, or puts them in the place of what was there. Nobody is told, and the log does
    /// not know of it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn put(&self, cases: Vec<(Case, Vec<Report>)>) -> OfficeResult<()> {
        let (keys, now) = (self.keys(), Now::get());
        self.write(move |tx| {
            for (case, reports) in &cases {
                tx.put_case(&keys.seal_case(case, false, now))?;
                for report in reports {
                    tx.put_report(&keys.seal_report(&rand::random(), case, report, now))?;
                }
            }
            Ok(Ok(()))
        })
        .await
    }
}
