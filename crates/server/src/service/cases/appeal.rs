//! A person asks for another look at what was decided about them.

use zegel_cases::{CaseNumber, WhyNot};
use zegel_proto::{Code, v1};

use super::{log::log_outside, rows::CaseKeys, tell::tell};
use crate::{
    clock::Now,
    service::{Service, Session, refusal::Refusal},
    store::write,
};

impl Service {
    pub(in crate::service) async fn appeal(
        &self,
        session: &Session,
        call: v1::Appeal,
    ) -> Result<(), Refusal> {
        let (account, _) = session.member()?;
        self.limits.appeal(account)?;
        let number: CaseNumber = call.case_number.parse().map_err(|_| unknown())?;
        let (keys, office, domain) = (self.keys(), self.office.clone(), self.config.domain.clone());
        write(&*self.store, move |tx| {
            let (rows, now) = (CaseKeys::of(&keys), Now::get());
            let Some(row) = tx.case(number.get())? else { return Ok(Err(unknown())) };
            let mut case = rows.open_case(&row)?;
            if let Err(why) = case.appeal(&account, &call.text, now.ms) {
                return Ok(Err(refused(&why)));
            }
            tx.put_case(&rows.seal_case(&case, row.doubtful, now))?;
            log_outside(tx, now, "person", "appeal", number)?;
            let kind = v1::statement::Kind::AppealTaken;
            tell(tx, &office, &keys, &domain, &case, kind, &account, now)?;
            Ok(Ok(()))
        })
        .await?
    }
}

/// Also for cases about others: their numbers tell nobody that they exist.
fn unknown() -> Refusal {
    let text = "there is no decision about you with this number; see the statement that you were sent";
    Refusal::new(Code::NotFound, text)
}

fn refused(why: &WhyNot) -> Refusal {
    match why {
        WhyNot::Person => unknown(),
        WhyNot::Words(most) => {
            Refusal::bad_request(format!("while taking an appeal: say why, in at most {most} bytes"))
        }
        _ => {
            let text = "while taking an appeal: this decision was appealed before, took nothing from you, or is too \
                        old to be appealed";
            Refusal::bad_request(text)
        }
    }
}
