// The one script of the desk: asks the browser to make or to use a passkey, and carries what it says to the server.
"use strict";

const form = document.getElementById("passkey");
const said = document.getElementById("said");
const button = form.querySelector("button");
const elsewhere = document.getElementById("elsewhere");

const bytes = (text) => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};
const text = (buffer) => {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte));
  return btoa(letters.join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};

async function send(path, body) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  // A page, where something between us and the desk answers, or the desk says no before it looks.
  const value = await answer.json().catch(() => null);
  if (!answer.ok || !value) {
    throw new Error(value?.error ?? `The desk did not take this. Load the page again, at ${elsewhere.dataset.origin}.`);
  }
  return value;
}

async function make(options) {
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  for (const known of options.excludeCredentials || []) {
    known.id = bytes(known.id);
  }
  const made = await navigator.credentials.create({ publicKey: options });
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    extensions: {},
    response: {
      attestationObject: text(made.response.attestationObject),
      clientDataJSON: text(made.response.clientDataJSON),
    },
  };
}

async function use(options) {
  options.challenge = bytes(options.challenge);
  for (const known of options.allowCredentials || []) {
    known.id = bytes(known.id);
  }
  const used = await navigator.credentials.get({ publicKey: options });
  const handle = used.response.userHandle;
  return {
    id: used.id,
    rawId: text(used.rawId),
    type: used.type,
    extensions: {},
    response: {
      authenticatorData: text(used.response.authenticatorData),
      clientDataJSON: text(used.response.clientDataJSON),
      signature: text(used.response.signature),
      userHandle: handle ? text(handle) : null,
    },
  };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "";
  button.disabled = true;
  try {
    if (!window.PublicKeyCredential) {
      throw new Error("This browser has no passkeys, or not at this address. Use a current browser, and https or http://localhost.");
    }
    const { attempt, options } = await send(form.dataset.start, {});
    const ceremony = "make" in form.dataset ? make : use;
    const credential = await ceremony(options.publicKey);
    const { go } = await send(form.dataset.finish, { attempt, credential });
    window.location.assign(go);
  } catch (error) {
    const unanswered = error.name === "NotAllowedError" || error.name === "AbortError";
    said.textContent = unanswered ? "No passkey was given. Try again when you have it at hand." : error.message;
    button.disabled = false;
    button.focus();
  }
});

// A proxy may hide the address from the server; here it is known, and elsewhere no passkey works.
elsewhere.hidden = elsewhere.dataset.origin === window.location.origin;
button.hidden = !elsewhere.hidden;
