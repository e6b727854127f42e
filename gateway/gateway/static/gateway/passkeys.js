/* Passkeys: the browser makes or uses one, and the form that the button stands in carries what it says. */

// Passkeys belong to a name; an address of numbers can have none.
const isPossible = Boolean(window.PublicKeyCredential?.parseCreationOptionsFromJSON)
  && !/^[\d.]+$|^\[/.test(location.hostname);
const KINDS = {
  create: { parse: "parseCreationOptionsFromJSON", failed: "No passkey was added." },
  get: { parse: "parseRequestOptionsFromJSON", failed: "No passkey was used." },
};

async function run(button) {
  const { form, dataset: { challenge, passkey: kind } } = button;
  const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  const answer = await fetch(challenge, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
  const options = await answer.json();
  const publicKey = PublicKeyCredential[KINDS[kind].parse](options.publicKey);
  form.elements.credential.value = JSON.stringify(await navigator.credentials[kind]({ publicKey }));
  form.requestSubmit();
}

document.querySelectorAll("[data-passkey]").forEach((button) => {
  const { failed } = KINDS[button.dataset.passkey];
  const said = button.form.querySelector("[data-passkey-error]");
  button.hidden = !isPossible;
  button.addEventListener("click", async () => {
    said.hidden = true;
    if (!button.form.reportValidity()) return;
    button.setAttribute("aria-busy", "true");
    try {
      await run(button);
    } catch {
      said.textContent = `${failed} Please try again.`;
      said.hidden = false;
    }
    button.removeAttribute("aria-busy");
  });
});
document.querySelectorAll("[data-passkey-missing]").forEach((words) => {
  words.hidden = isPossible;
});
