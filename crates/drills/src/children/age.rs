//! Saying another age than one has.

use sha2::{Digest as _, Sha256};
use zegel_proto::{
    Code,
    v1::{self, AgeBand, client_frame as ask},
};

use super::scene::{Door, MINORS, comes, enter, invite};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Keys, Stage, Stranger, code_of},
};

/// An adult calls himself a child.
pub const FALSE_AGE: Drill = Drill {
    name: "false-age",
    attacker: Attacker::Stranger,
    attempt: "Mallory registers as a child, as a teen, and without saying an age, or becomes younger afterwards, and introduces himself to minors as one of them.",
    defence: "Who may come to whom is judged by the age of whoever is come to, and by no other.",
    caught: "at once: nothing reaches a minor, whatever he says he is",
    run: |stage| Box::pin(false_age(stage)),
};

async fn false_age(stage: &Stage) -> Verdict {
    let mut minors = Vec::new();
    for (handle, band) in ["mia", "tim", "una"].into_iter().zip(MINORS) {
        minors.push(Door::of(stage, handle, band).await?);
    }
    let mut adult = Door::of(stage, "zoe", AgeBand::Adult).await?;
    // What he registers as, and what he becomes before he comes.
    let guises = [
        (AgeBand::Adult, AgeBand::Adult),
        (AgeBand::Child, AgeBand::Child),
        (AgeBand::Teen, AgeBand::Teen),
        (AgeBand::Unknown, AgeBand::Unknown),
        (AgeBand::Adult, AgeBand::Child),
    ];
    let guised = guises.len() as u64;
    for (number, (age_band, becomes)) in guises.into_iter().enumerate() {
        let keys = Keys { age_band, ..Keys::new(&format!("mallory{number}")) };
        let mut mallory = Stranger::member(stage.address(), &keys).await?;
        carried_out(older(&mut mallory, becomes, "", &[]).await?.is_none(), "becoming younger")?;
        let (mut mallory, told) = enter(stage.address(), &keys).await?;
        carried_out(told.age_band() == becomes, format!("being taken for {becomes:?}: {told:?}"))?;
        for to in minors.iter_mut().chain([&mut adult]) {
            comes(&mut mallory, to, None).await?;
        }
    }
    for minor in &mut minors {
        let (came, who) = (minor.came().await?, minor.keys.age_band);
        held(came == 0, format!("{came} of his {guised} introductions reached a {who:?}"))?;
    }
    let came = adult.came().await?;
    carried_out(came == guised, format!("reaching an adult with each of {guised}, but {came}"))?;
    let mut friend = Stranger::member(stage.address(), &Keys::new("friend")).await?;
    for minor in &mut minors {
        let code = minor.code().await?;
        comes(&mut friend, minor, Some(code)).await?;
        carried_out(minor.came().await? == 1, "reaching a minor by a code of theirs")?;
    }
    Ok(format!("under {guised} guises he reached the adult {guised} times, and no minor"))
}

/// A child becomes older on a changed client.
pub const LATE_BIRTHDAY: Drill = Drill {
    name: "late-birthday",
    attacker: Attacker::Member,
    attempt: "Somebody talks a child into a changed client that makes it older: without a word of anybody's, by an invite that was used or is for another age, by a made-up secret of the guardian's, and by setting, changing or ending the guardian first.",
    defence: "Older takes an invite that says just this age, once, or the guardian's secret, for one step; and only that secret changes or ends the guardian.",
    caught: "at once: refused; who is their own guardian becomes a teen, whom strangers do not reach either",
    run: |stage| Box::pin(late_birthday(stage)),
};

async fn late_birthday(stage: &Stage) -> Verdict {
    let adults = invite(stage, &["--age", "adult", "--uses", "1"])?;
    let teens = invite(stage, &["--age", "teen", "--uses", "1"])?;
    let mut una = Door::of(stage, "una", AgeBand::Unknown).await?;
    let mut mia = Door::of(stage, "mia", AgeBand::Child).await?;
    let mut kim = Door::of(stage, "kim", AgeBand::Child).await?;
    let (secret, own) = (&[7; 32], &[8; 32]);
    let (guardian, herself) = (&Sha256::digest(secret), &Sha256::digest(own));
    carried_out(guard(&mut mia.wire, guardian, &[]).await?.is_none(), "linking a guardian")?;

    let invited = older(&mut una.wire, AgeBand::Adult, &adults, &[]).await?;
    carried_out(invited.is_none(), format!("becoming an adult by an invite: {invited:?}"))?;
    carried_out(older(&mut una.wire, AgeBand::Teen, "", &[]).await?.is_none(), "becoming younger")?;
    let mut tries = vec![
        ("the used invite of her own", older(&mut una.wire, AgeBand::Adult, &adults, &[]).await?),
        ("a used invite", older(&mut mia.wire, AgeBand::Adult, &adults, &[]).await?),
        ("an invite for teens", older(&mut mia.wire, AgeBand::Adult, &teens, &[]).await?),
        ("the guardian's secret, two steps", older(&mut mia.wire, AgeBand::Adult, "", secret).await?),
        ("a changed guardian", guard(&mut mia.wire, herself, &[]).await?),
        ("a guardian changed by a made-up secret", guard(&mut mia.wire, herself, own).await?),
        ("an ended guardian", guard(&mut mia.wire, &[], &[]).await?),
        ("a guardian ended by a made-up secret", guard(&mut mia.wire, &[], own).await?),
    ];
    for (word, what) in [(&[][..], "no word"), (&own[..], "a made-up secret")] {
        for to in [AgeBand::Teen, AgeBand::Adult, AgeBand::Unknown] {
            tries.push((what, older(&mut mia.wire, to, "", word).await?));
        }
    }
    // The service cannot know whose secret it is, and so counts steps.
    carried_out(guard(&mut kim.wire, herself, &[]).await?.is_none(), "being one's own guardian")?;
    tries.push(("her own word, two steps", older(&mut kim.wire, AgeBand::Adult, "", own).await?));
    carried_out(older(&mut kim.wire, AgeBand::Teen, "", own).await?.is_none(), "her own word, one step")?;
    tries.push(("her own word again", older(&mut kim.wire, AgeBand::Adult, "", own).await?));
    tries.push(("being a teen's guardian", guard(&mut kim.wire, herself, &[]).await?));
    for (how, refusal) in &tries {
        held(refusal.is_some(), format!("it was taken: {how}"))?;
    }
    let (_, told) = enter(stage.address(), &mia.keys).await?;
    held(told.age_band() == AgeBand::Child && told.guarded, format!("after all that she is {told:?}"))?;
    // What was shown in vain is as good as before.
    let (mut wire, _) = enter(stage.address(), &mia.keys).await?;
    let invited = older(&mut wire, AgeBand::Teen, &teens, &[]).await?;
    carried_out(invited.is_none(), format!("becoming a teen by an invite: {invited:?}"))?;

    let mut zoe = Door::of(stage, "zoe", AgeBand::Adult).await?;
    let mut mallory = Stranger::member(stage.address(), &Keys::new("mallory")).await?;
    for door in [&mut una, &mut mia, &mut kim] {
        comes(&mut mallory, door, None).await?;
        held(door.came().await? == 0, format!("a stranger reaches {}", door.keys.handle))?;
    }
    comes(&mut mallory, &mut zoe, None).await?;
    carried_out(zoe.came().await? == 1, "reaching an adult")?;
    Ok(format!("{} ways refused; strangers reach none of the three", tries.len()))
}

/// Asks for another age, by an invite or a guardian's secret; what that is refused with.
async fn older(by: &mut Stranger, to: AgeBand, invite: &str, secret: &[u8]) -> Verdict<Option<Code>> {
    let guardian = secret.to_vec().into();
    let change = v1::ChangeAge { age_band: to.into(), invite: invite.into(), guardian };
    Ok(code_of(&by.call(ask::Body::ChangeAge(change)).await?))
}

/// Sets, changes or ends a guardian; what that is refused with.
async fn guard(by: &mut Stranger, hash: &[u8], secret: &[u8]) -> Verdict<Option<Code>> {
    let set = v1::SetGuardian { hash: hash.to_vec().into(), secret: secret.to_vec().into() };
    Ok(code_of(&by.call(ask::Body::SetGuardian(set)).await?))
}
