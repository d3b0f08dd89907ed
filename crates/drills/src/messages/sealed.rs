//! There is no unencrypted path.

use zegel_proto::{Code, v1::client_frame::Body as Call};

use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Stage, message},
};

/// A message in the clear.
pub const PLAINTEXT: Drill = Drill {
    name: "plaintext-message",
    attacker: Attacker::State,
    attempt: "A changed client sends an MLS PublicMessage, which everyone on the way can read, and a changed server delivers it as any other.",
    defence: "Server and clients take PrivateMessages only; there is no other path and no flag for one.",
    caught: "at once",
    run: |stage| Box::pin(plaintext(stage)),
};

async fn plaintext(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let honest = office.hears(&alice, "nobody reads this on the way", "bob").await?;
    let readable = |bytes: &[u8]| bytes.windows(7).any(|window| window == b"nobody ");
    held(!readable(&honest.submit.message), "an honest client sends in the clear")?;
    bobs.put(honest.entry()?)?;
    bob.reads("nobody reads this on the way").await?;

    let mut submit = honest.submit.clone();
    // The head of the honest message, its tag included, as far as a server looks.
    let mut public = submit.message[..83].to_vec();
    public[3] = 1;
    let text = b"nobody listens to an order";
    public.extend([&[1, 1, text.len() as u8][..], text].concat());
    carried_out(readable(&public), "a message in the clear")?;
    submit.submission_id = zegel_proto::SubmissionId::random().to_field();
    submit.message = public.clone().into();
    match alice.client()?.rogue_call(Call::Submit(submit)).await {
        Err(zegel_client::Error::Refused { code: Code::BadMessage, .. }) => {}
        Err(other) => return Err(other.into()),
        Ok(_) => return Err(Failure::Succeeded("the server carries a message in the clear".into())),
    }
    let mut context = honest.context()?;
    context.message_hash = <sha2::Sha256 as sha2::Digest>::digest(&public).into();
    let stamped =
        zegel_proto::v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() };
    bobs.put(message(&alice.client()?.rogue_group("bob")?, &public, stamped))?;
    let line = "A message could not be shown: wire format 1 is refused; only PrivateMessage (2) is carried.";
    bob.is_alarmed("hidden", line).await?;
    held(bob.lines().iter().all(|line| !line.text.contains("order")), "it is shown")?;
    Ok("the server refuses it as BadMessage, and Bob hides it: \"wire format 1 is refused\"".into())
}
