// Asks the browser for a security key and sends what it answers with the form it belongs to.
(function () {
  "use strict";

  function toBytes(text) {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  }

  function toText(buffer) {
    if (!buffer) {
      return null;
    }
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function decoded(options) {
    options.challenge = toBytes(options.challenge);
    for (const known of [...(options.allowCredentials || []), ...(options.excludeCredentials || [])]) {
      known.id = toBytes(known.id);
    }
    if (options.user) {
      options.user.id = toBytes(options.user.id);
    }
    return options;
  }

  function answerOf(credential) {
    const response = credential.response;
    const answer = { clientDataJSON: toText(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) {
        answer[name] = toText(response[name]);
      }
    }
    return JSON.stringify({
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response: answer,
    });
  }

  async function ask(form) {
    const options = { publicKey: decoded(JSON.parse(form.dataset.options)) };
    const credential =
      form.dataset.securityKey === "create"
        ? await navigator.credentials.create(options)
        : await navigator.credentials.get(options);
    form.querySelector("[name=security_key]").value = answerOf(credential);
    form.submit();
  }

  for (const form of document.querySelectorAll("form[data-security-key]")) {
    const button = form.querySelector("[data-use-security-key]");
    const problem = form.querySelector("[data-security-key-problem]");
    if (!window.PublicKeyCredential) {
      continue;
    }
    problem.textContent = "";
    button.hidden = false;
    button.addEventListener("click", () => {
      problem.textContent = "";
      ask(form).catch(() => {
        problem.textContent = "That did not work, or was stopped. Try again.";
      });
    });
  }
})();
